"""English words that are also taken as nicks: such a nick is a person only where its position says so."""

# ruff: noqa: SIM905 - a word list is read as words
from __future__ import annotations

FUNCTION_WORDS = frozenset(
    """
    a about above across after again against all almost along already also although always am an and another
    any anybody anyone anything anyway anywhere are aren as at away back be became because become been before
    behind being below between both btw but by bye came can cannot cant could did didn didnt do does doesn
    doing don done dont down during each either else enough even ever every everybody everyone everything
    everywhere few for from further get gets getting given go goes going gone got had has have having he
    hello hence her here hers herself hey hi him himself his how however i if im imo in indeed instead into
    is isn isnt it its itself ive just k keep kept know known last later least less let like likely lol made
    make makes many may maybe me mean might mine more most mostly much must my myself n near need neither
    never next no nobody none nope nor not nothing now nowhere of off often oh ok okay on once one ones only
    onto or other others otherwise our ours out over own per perhaps please pls plz ppl put quite r rather
    really said same saw say says see seem seems seen self several shall she should since so some somebody
    someone something sometimes somewhere soon still such sure take taken tell than thank thanks that thats
    the their theirs them themselves then there these they thing things think this those though through thus
    thx to together too took toward try trying twice two ty u under until up upon ur us use used uses using
    usually very via want wants was wasn way we well went were weren what whatever when where wherever
    whether which while who whoever whole whom whose why will with within without won would y ya yeah yep yes
    yet yo you your yours yourself
    """.split()
)

EVERYDAY_WORDS = FUNCTION_WORDS | frozenset(
    """
    able access account action add address ago alt amazing amount answer april area ask auto awesome bad bank
    bar base beautiful best beta better big bit black block blue boot bot bottom box boy break broken browser
    bug build bus business buy call car card care cause center certain change channel chat cheap check city
    clean clear click client close code color command common complete computer config connect control cool
    copy corner correct country couple course cpu crash create current custom damn dark data date day dead
    deal dear december default delete desktop dev device different disk doc double drive driver due early
    easy eat edit effect email empty end enter entry error event exact example except explain face fact fail
    fair fall family far fast february feel file film find fine first five fix folder follow food force form
    format four free friday friend full fun funny game girl give glad gmail good google great green group
    guess guide guy half hand happen happy hard hardware hate head hear help high history hit hold home hope
    host hot hour house huge human icon idea image important info inside install int interesting internet
    issue january job join july june kb kernel key kid kill kind language laptop large latest launch learn
    leave left letter level life light limit line link list listen little live load local log long look lost
    lot love low mac mail main major man manager matter max media meet menu message mind minute miss mobile
    mode moment monday money month morning move movie music name network new news nice night normal note
    notice november number october odd office old online open order outside package page part party pass past
    paste path pay people perfect person phone picture place play plus point poor port possible post power
    precise prefer press pretty price print probably problem process profile program project public question
    quick quit ram random read ready real reason record red remember remote reply rest result return right
    road room round run sad safe saturday save school screen script search second section security sell send
    sense server service set setup share short show side sign similar simple single site size sleep slow
    small smart software sorry sound source space speak special speed standard start state stay stick stop
    store story straight strange street strong stuff stupid suggest sunday super support switch system table
    talk team terminal test text third thought three thursday time today tomorrow tool top topic total touch
    town true tuesday turn tv type update upgrade url user usual version video view virtual visit volume wait
    walk warning watch water weak web wednesday week weird welcome white wide wife win window windows word
    work world worth wow write wrong year yesterday young
    """.split()
)
"""Words of everyday chat: a whole nick among them is masked by position only."""

COMMON_WORDS = EVERYDAY_WORDS | frozenset(
    """
    account act actual admin age agent agree air alien alone alpha angel anger animal apple apply arch arm
    army arrow art asleep atom august aunt autumn average awake aware baby bag ball band basic bat battle
    beach bean bear beat bed bee beer begin bell belt bike bill binary bird birth bite blank blind blog blood
    blow board boat bob body bone bonus book boring boss bottle brain branch brand bread bridge bright bring
    brother brown brush bsd bubble bud buffer bull burn bush busy butter button byte cable cake calm camera
    camp candy card cash cast castle cat catch cell centos central chain chair chance chaos char charge
    cheese chef chess chicken child chip choice chrome church circle class clock cloud club coach coal coast
    coat coffee cold comfort comment condition console cookie core corn cost count cover cow crack crazy
    cream cross crow crowd crown cry crystal cube cup curious cut cyber cycle dad daily damage dance danger
    dash dawn death debian debug decide deep demo demon design desk detail devil diamond die diet dig digital
    dirt disco dist dns doctor dog dollar door dot doubt draft dragon draw dream dress drink drop drum dry
    duck dude dumb dust duty eagle ear earth east echo edge egg eight electric element elite email enemy
    energy engine english enjoy equal escape eve evening evil exit expert extra eye faith false famous fan
    farm fat father fault fear feature fedora feet field fight fill filter final finger finish fire firefox
    fish fit flag flash flat flight float floor flow flower fly focus fog fool foot foreign forest forget
    fork forward fox frame freedom french fresh frog front frost fruit function future games gap garden gas
    gate general gentle gentoo german ghost giant gift glass global gnome goal goat god going gold google
    grand grape grass gray grey ground grow guard guest guitar gun hack hacker hair hall hammer handle hat
    hawk health heart heat heavy hell hero hidden hill hole holiday honest honey hook horn horse host hotel
    hotmail hundred hungry hunt hunter hurry hurt husband ice idle inch internet ion iron island item java
    jazz jet joke joker journal joy judge juice jump junior junk kde kick killer king kiss kit kitchen kitty
    knife knight knock lab label lady lake lamp land laser laugh law lazy lead leader leaf leg legal legend
    lemon length lesson library license lie lift lightning lily lime linux lion lite lock logic lone looking
    loop lord lose loud lover luck lucky lunch machine mad magic malware manual map march mark market mars
    mask master match mate math maximum meal meat medium member memory men mental mercury meta metal method
    middle midnight mike milk mini minor mint minus mirror mist mix model modem modern monitor monkey mood
    moon moss mother mouse mouth mozilla mud multi mute mystery narrow nation native nature neat neutral nine
    noise noob noon north nose notebook nova null nurse nut nvidia object ocean oil omega opera option orange
    original oven owl owner pack pain paint pair pale panda panel panic paper parent park partner patch peace
    peach pen pepper perl phantom phone photo php piano pick pie piece pig pilot pin pine pink pipe pirate
    pixel pizza plain plan planet plant plasma player plenty plug pocket poem poet police pool pop pot
    practice present prime prince princess prize pro promise proof proper proud pull pure purple push puzzle
    python queen quest quiet quote rabbit race radio rage rain rainbow range rare rat raven raw reality rebel
    redhat reload repeat reset rice rich ride ring river robot rock rocket role roll roof root rose rough
    route row royal ruby rude rule runner rush rust sail salt sand scale science scope score scream sea
    season seat secret sector senior sentence september serial session seven sex shadow shape shark sharp
    shell shift ship shirt shock shoe shoot shop shot shut sick silence silent silly silver sir sister six
    skill skin sky slackware sleepy smile smoke smooth snail snake snap snow social soft soldier solid solo
    sonic soul soup south spam spark spec spell spider spin spirit split spoon sport spot spring spy square
    stable stack staff stage star static station status steam steel step stone storage storm stranger stream
    strike string student study style sub subject success sugar suit summer sun sunny sunset surf surprise
    suse sweet swim sword tag tail tall tank tap target task taste tax tea teach teacher tech temp ten term
    terrible theme thick thin thread throw thunder ticket tide tie tiger tight tiny tired title toast toe ton
    tonight tony tooth tough tour tower toy track trade train trash travel tree trial trick trip trouble
    truck trust truth tube tune turbo turtle twin ubuntu ugly uncle unique unit universe unix unknown updates
    upload upper url usual valid value vampire vector viper virus vision vista visual voice void wake wall
    war warm wash waste wave weapon wear weather weekend weight west wet wheel wild wind windows wine wing
    winner winter wire wise wish witch wizard wolf woman wonder wood worker working worm worry worse worst
    writer yahoo yard yellow zebra zen zero zone
    """.split()
)
"""Everyday words, rarer ones and products: a *part* of a nick among them is masked by position only."""

NOT_BEFORE_COMMA = frozenset(
    """
    actually again also although and anyway bad but bye cool correct exactly fine first good great hello here
    hey hi however if in indeed instead just later like maybe nice no nope not now of oh ok okay once or
    perhaps please probably really right sad similar so sometimes soon sorry still strange sure thank thanks
    that then there though thus today tomorrow tonight too true um usually wait welcome well what when why
    wow wrong yeah yep yes yesterday yet
    """.split()
)
