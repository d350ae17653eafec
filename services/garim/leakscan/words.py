"""Words of every day that may also be somebody's nick: there, only the position says that a person is meant.

Collected for the scan by itself. It must know every word that masking leaves alone as a word, or an honest
dossier would be blocked; `tests/unit/leakscan/test_words.py` compares the two.
"""

# ruff: noqa: SIM905 - a word list is read as words
from __future__ import annotations

GRAMMAR = frozenset(
    """
    a an the this that these those thats it its itself i im ive me my mine myself you your yours
    yourself ur u ya yo y he him his himself she her hers herself we us our ours they them their theirs
    themselves one ones who whom whose whoever what whatever which when where wherever why how whether
    while until since because cause if though although unless than then thus hence so such as at by for
    from in into of off on onto out over up upon down under to toward with within without about above
    across after against along among around before behind below between during through near per via
    plus inside outside and or but nor not no none nobody nothing nowhere neither either both each
    every everybody everyone everything everywhere any anybody anyone anything anyway anywhere some
    somebody someone something sometimes somewhere all almost already also always never ever often
    again still yet just only even quite rather really very too much many more most mostly less least
    few little several enough other others another else same own self here there now once twice soon
    later last next today tomorrow tonight yesterday am is isn isnt are aren was wasn were weren be
    been being do does doesn doing done did didn didnt don dont have has had having can cannot cant
    could may might must shall should will would won let lets get gets getting got go goes going gone
    went came come make makes made take taken took put keep kept know known say says said see seem
    seems seen saw tell think thought want wants need needs use used uses using try trying like likely
    mean well ok okay oh um uh hm ah wow hey hi hello bye yes yeah yep nope please pls plz thx thank
    thanks ty sorry lol btw imo ppl k n r however indeed instead otherwise perhaps maybe probably
    actually exactly usually therefore further together away back given became become able anymore
    whole
    """.split()
)

HEADS_A_SENTENCE = frozenset(
    """
    again also although and anyway actually bad but bye cool correct exactly fine first second third
    finally good great hello here hey hi however if in indeed instead just later like maybe nice no
    nope not now of oh ok okay once or perhaps please probably really right sad similar similarly so
    sometimes soon sorry still strange sure thank thanks that then there though thus today tomorrow
    tonight too true um usual usually wait welcome well what when why wow wrong yeah yep yes yesterday
    yet funny weird awesome interesting basically obviously
    """.split()
)
"""Words that stand before a comma without anybody being spoken to."""

ENGLISH = (
    GRAMMAR
    | HEADS_A_SENTENCE
    | frozenset(
        """
        monday tuesday wednesday thursday friday saturday sunday january february march april may june
        july august september october november december second minute hour day week month year morning
        evening night noon time date age ago early late past future moment history event
        one two three four five six seven eight nine ten hundred half double single total number amount
        couple pair lot bit kind sort size level limit volume
        man woman boy girl guy kid child baby family friend wife husband mother father brother sister
        people person human team group party boss manager driver user client guest master host admin
        owner member
        head face hand eye heart hair foot mind body life dead alive sleep eat drink food water coffee
        tea milk bread house home room door window wall floor table chair bed box bag bar bank shop
        store school office city town country street road bridge corner center place area side top
        bottom left right middle end start begin world earth sun moon star sky rain snow wind fire tree
        flower river sea mountain dog cat bird fish horse
        red green blue black white gray grey brown pink yellow orange dark light color bright
        good bad better best worse worst great big small large huge tiny long short high low tall wide
        deep full empty new old young fresh fast slow quick hot cold warm cool hard soft easy simple
        difficult strong weak heavy rich poor cheap free happy sad glad angry funny nice fine fair
        pretty beautiful perfect special common usual normal real true false sure certain clear clean
        dirty safe ready open close closed broken wrong correct precise exact different similar
        standard possible important interesting strange weird odd random stupid smart amazing awesome
        super dear due main major minor local global public private secret current latest recent
        virtual remote mobile custom default straight complete further likely able
        ask answer add allow appear apply arrive beat believe break bring build buy call care carry
        catch change check choose click connect control copy count create cut damn deal decide delete
        die draw dream drive drop edit enter explain fail fall feel fight fill find finish fix fly
        follow force forget give grab grow guess guide hang happen hate hear help hide hit hold hope
        hurt install join jump kick kill laugh launch lead learn leave lie listen live load lock log
        look lose lost love meet miss move notice offer order paste pass pay pick play point post
        prefer press print process promise pull push quit read reach remember remove repeat reply rest
        return ride ring rise run save search sell send serve set share shoot shout show shut sign sing
        sit speak speed spend stand stay steal step stick stop suggest support switch talk teach test
        throw touch travel trust turn type update upgrade visit vote wait wake walk wash watch wear
        welcome win wish wonder work worry worth write
        access account action address alt auto base beta block boot bot browser bug bus business button
        cable car card channel chat code command computer config course cpu crash data desktop dev
        device disk doc edge effect email entry error example except fact file film filter flag folder
        form format frame game gate gmail google hardware icon id idea image info int internet issue
        item job kb kernel key lab language laptop letter library line link list mac mail map mark mask
        matter max media memory menu message min mode model money monitor mouse movie music name net
        network news note nothing object online option package page paper part path phone photo picture
        piece pipe plan port power price problem profile program project proxy question queue ram
        reason record result root round router ruby rule sample scale scene screen script section
        security sense server service setup shadow shell sound source space spirit state stone story
        stuff stream system tag task terminal text thing things topic tool train trick tv union url
        version video view voice warning way web windows wire word zero zone
        linux ubuntu debian fedora gentoo redhat suse arch mint unix bsd solaris gnome kde xfce unity
        apache nginx mysql python perl java php bash zsh emacs vim nano grep sudo apt yum wine firefox
        mozilla opera chrome safari skype android iphone apple microsoft intel nvidia samsung sony
        yahoo facebook youtube wiki irc ftp ssh http usb dvd cdrom mp3 pdf lib src bin tmp proc deb
        repo daemon login logout password backup partition swap mount cron
        case chance choice cost cross cycle fashion favor figure ghost gift glass goal gold hero hunter
        ice iron island joke judge king queen lady lake land law leaf legend machine magic match metal
        mirror mystic nature noise north south east west ocean peace phantom pilot pirate planet player
        poet prince princess rabbit ranger rebel rider robot rock rocket rose royal runner sand shark
        silver singer soldier soul spider spring stranger summer autumn winter sword thunder tiger
        tower turtle viking virus wanderer wizard wolf zombie far fun site software
        """.split()
    )
)

KOREAN_PEOPLE = frozenset(
    """
    나 너 저 우리 너희 저희 누구 모두 다들 자기 본인 당신 여러분 아무 걔 쟤 얘 엄마 아빠 어머니 아버지
    할머니 할아버지 오빠 언니 누나 형 동생 형님 누님 이모 고모 삼촌 숙모 친구 남친 여친 애기 아기 사람
    남자 여자 아이 애인 아내 남편 부모 자녀 아들 딸 며느리 사위 장모 장인 선생 선생님 선배 선배님 후배
    학생 손님 주인 고객 회원 사장 사장님 부장 부장님 팀장 팀장님 과장 차장 대리 대리님 이사 전무 상무
    회장 대표 교수 기사 의사 간호 약사 경찰 군인 관리자 운영자 방장 부방장 아저씨 아줌마 아가씨 담당
    담임 배우 가수 작가 감독 코치 막내 반장 총무 이웃 여보 스승 임금 하느 해 달
    """.split()
)
"""Whom 님, 아 and 한테 follow without anybody's name."""

KOREAN = KOREAN_PEOPLE | frozenset(
    """
    이 그 내 네 제 니 지 둘 셋 다 사랑 하나 하늘 가을 겨울 여름 바다 바람 나무 구름 노을 이슬 마음 보배
    보람 기쁨 슬픔 행복 소망 희망 은혜 지혜 평화 자유 진리 미래 영원 나라 누리 도움 다운 다솜 아름 한결
    한빛 초롱 반디 별이 달빛 별빛 봄날 봄비 오늘 내일 어제 모레 지금 이제 아까 나중 다음 아직 벌써 방금
    항상 매일 가끔 계속 먼저 일단 다시 또한 그냥 정말 진짜 아주 너무 많이 조금 약간 거의 모든 전부 함께
    혼자 서로 같이 따로 바로 빨리 천천 제일 가장 특히 역시 과연 만약 혹시 아마 물론 이거 그거 저거 이것
    그것 저것 여기 거기 저기 이번 저번 그때 이때 언제 어디 무슨 어떤 어느 얼마 왜냐 이런 그런 저런 이렇
    그래 그럼 그러 아니 아예 이미 하지 하자 하게 하면 해서 해도 보자 보고 보니 가자 가고 가서 오는 오고
    와서 나는 나도 나가 내가 네가 제가 이나 이라 이야 시간 하루 아침 점심 저녁 새벽 오전 오후 주말 평일
    생일 휴가 방학 학교 회사 직장 집안 동네 병원 약국 은행 시장 가게 식당 카페 극장 공원 역사 도시 시골
    서울 부산 대구 인천 광주 대전 울산 세종 경기 강원 제주 수원 전화 문자 메일 사진 영화 음악 노래 게임
    운동 공부 일정 약속 회의 숙제 시험 면접 업무 선물 편지 여행 구경 산책 청소 요리 빨래 커피 우유 과자
    과일 사과 포도 딸기 수박 김치 라면 국수 만두 고기 생선 계란 두부 라떼 초코 쿠키 고구마 감자 토마토
    바나나 강아지 고양이 호랑이 다람쥐 곰돌이 토끼 여우 사자 참새 나비 거북 고래 돌고래 이모티콘
    알수없음 탈퇴 단체 공지 이유 생각 기분 느낌 걱정 고민 문제 방법 이야기 얘기 소식 정보 사실 거짓
    비밀 기억 추억 관계 인연 사정 상황 경우 정도 이상 이하 처음 마지막 중간 시작 결과 원인 목표 계획
    준비 연습 경험 기회 성공 실패 도전 노력 성격 얼굴 머리 가슴 허리 다리 손목 건강 감기 기침 두통 수술
    치료 사고 보험 병가 가격 돈벌 월급 세금 통장 계좌 카드 현금 주식 투자 대출 이자 전세 월세 이사 정리
    정신 정지 조건 존재 주소 주인 진심 최고 최근 추가 축하 출근 퇴근 친절 택배 파티 필요 학년 한국 한번
    확인 환영 후회 가나 미소 수지 유리 보라 단비 새롬 샛별 진주 은하 소라 이경 지수 수아 아라 나리 하람
    민주 정의 승리 성실 예쁨 화이트 블루 마스터 러브 해피 스타 엔젤 프린스 킹 퀸 초보 고수 익명 손자
    주부 백수 직장인 수험생 취준생 아저 호랑 대학생 고등학생 중학생
    """.split()
)
