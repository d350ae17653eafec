"""English words that speak for or against a name: facts of English, none taken from a gold set.

The given names are frequent ones of English-speaking countries and of people who live there, as birth
statistics of several decades show them; those that are everyday words too (Will, Rose, Mark) are left out.
"""

# ruff: noqa: SIM905 - a word list is read as words
from __future__ import annotations

GIVEN_NAMES = frozenset(
    """
    aaron abdul abigail abraham adam adele adrian adriana agnes ahmed aidan aisha alan albert alejandra
    alejandro alessandro alex alexa alexander alexandra alexandre alexis alfred alfredo ali alice alicia
    alina alison allan allison alyssa amanda amelia amir amy ana anand andre andrea andreas andres andrew
    andy angela angelica anil anita anjali ann anna annabelle anne annette annie anthony antoine anton
    antonio anya arjun arlene armando arnold arthur arturo ashley ashok audrey aurora austin ava barbara
    barry beatrice beatriz becky belinda benedict benjamin bernadette bernard bernice beth bethany betsy
    betty beverly bianca bob bobby boris bradley brandon brenda brendan brent brett brian bridget
    brittany brooke bruce bruno bryan caitlin caleb calvin cameron camila camille carl carla carlos
    carmen carol caroline carolyn carrie catherine cathy cecilia cedric celeste celia cesar chad charlene
    charles charlie charlotte chelsea cheryl chloe chris christa christian christina christine christophe
    christopher christy cindy claire clara clarence claude claudia clayton clifford colin colleen connie
    connor conrad constance cora corey courtney craig cristina curtis cynthia daisuke damian damien dan
    dana daniel daniela danielle danny daphne darius darlene darren daryl dave david deborah debra deepak
    denise dennis derek desmond diana diane diego dieter dimitri dmitri dolores dominic dominique don
    donald donna doris dorothy doug douglas duane duncan dustin dwayne dylan earl ed eddie edgar edith
    edmund eduardo edward edwin eileen elaine eleanor elena eli elias elijah elizabeth ella ellen elliot
    eloise elsa elvira emilia emilio emily emma emmanuel enrique eric erica erik erika erin ernest
    ernesto esteban esther ethan ethel eugene eva evan evelyn fabio fatima federico felicia felipe felix
    fernanda fernando fiona florence floyd frances francesca francesco francis francisco francois frankie
    franz fred freddie frederick friedrich gabriel gabriela gabrielle gareth garrett gary gavin geoffrey
    george georgia georgina gerald gerard german gianni gilbert gina giovanni giulia giuseppe gladys
    glenn gloria gordon greg gregory greta guadalupe guillermo gustavo gwen hannah hans harold harriet
    harry harvey hassan hazel heather hector heidi helen helena helga henri henrietta henry herbert
    herman hilary hiroshi holly howard hugh hugo ian ibrahim ignacio igor ines ingrid irene iris irma
    isaac isabel isabella isaiah ivan jackie jackson jacob jacqueline jacques jaime jake james jamie jan
    jane janet janice jared jasmine jason javier jean jeanette jeff jeffrey jenna jennifer jenny jeremiah
    jeremy jerome jerry jesse jessica jesus jill jim jimmy joan joanna joanne joe joel johan johann
    johanna john johnny jon jonas jonathan jordan jorge jose josef joseph josephine josh joshua joyce
    juan juanita judith judy julia julian juliana julie juliet julio julius justin justine kaitlyn karen
    karim karin karl karla kate katherine kathleen kathryn kathy katie katrina kayla keith kelly kelsey
    ken kenji kenneth kent kerry kevin khalid kim kimberly kirsten klaus kristen kristin kristina kumar
    kurt kyle lakshmi lara larry lars latoya laura lauren laurence laurie lawrence leah lena leo leon
    leonard leonardo leonor leroy leslie lewis liam lidia lillian lina linda lindsay lindsey lionel lisa
    logan lois lola loretta lori lorraine louis louise lourdes luca lucas lucia luciana lucy luigi luis
    luisa lukas luke luna lydia lynn mabel mackenzie madeline madison maggie malcolm mandy manuel marc
    marcel marcia marco marcos marcus margaret margarita maria mariana marie marilyn mario marion marisol
    marjorie marlene marsha marshall martha martin martina marvin mary maryam mason mateo mathew matt
    matthew matthias maureen maurice mauricio max maximilian maxine mei melanie melinda melissa melvin
    mercedes meredith mia michael michaela michel michele michelle miguel mike milan mildred milton minh
    miranda miriam mitchell mohamed mohammad mohammed moira molly mona monica monique morgan moses
    muhammad muriel myra myrtle nadia nadine nancy naomi natalia natalie natasha nathan nathaniel neil
    nelson nicholas nick nicola nicolas nicole nigel nikita nikolai nina noah noel noemi nora norma
    norman olga oliver olivia omar orlando oscar osman otto owen pablo pamela paola paolo patricia
    patrick paul paula paulette pauline pedro peggy penelope percy perry peter phil philip philippe
    phillip phoebe phyllis pierre pilar prakash priya rachel rafael raj rajesh ralph ramon randall randy
    raquel rashid raul ravi raymond rebecca regina reginald rekha renata rene rhonda ricardo richard rick
    ricky rita rob robert roberta roberto robin rochelle roderick rodney rodrigo roger roland roman
    ronald ronnie rosa rosalie rosemary ross roxanne ruben rudolf rudolph rupert russell ruth ryan
    sabrina sally salma salvador sam samantha samir samuel sandra sandy sanjay santiago sara sarah sasha
    saul scott sean sebastian serena serge sergei sergio seth shannon sharon shaun shawn sheila shelley
    sheryl shirley sidney silvia simon simone sofia sonia sonja sophia sophie stacey stacy stan stanley
    stefan stefanie stella stephan stephanie stephen steve steven stewart stuart sue suresh susan suzanne
    sven svetlana sylvia tamara tania tara tatiana ted terence teresa terrence terri terry tessa thelma
    theo theodore theresa thomas tiffany tim timothy tina toby todd tom tommy toni tony tracey tracy
    travis trevor tricia tristan tyler ulrich ursula valerie vanessa vera vernon veronica vicente vicki
    vicky victor victoria vijay vikram vincent viola violeta virginia vivian vladimir walter wanda warren
    wayne wendy werner wesley wilfred wilhelm willard william willie wilma winifred winston xavier xiao
    yasmin yolanda yuki yuri yusuf yvette yvonne zachary zoe
    """.split()
)

SURNAMES = frozenset(
    """
    adams ahmed alexander ali allen alvarez anderson andrews bailey baker barnes becker bell bennett
    brooks brown bryant butler campbell carter castillo chan chavez chen choi clark coleman collins
    cooper cox cruz davies davis diaz dubois edwards ellis evans fernandez fischer fisher flores foster
    fox garcia gibson gomez gonzales gonzalez graham gray green gupta gutierrez hall hamilton harris
    harrison hayes henderson hernandez hill hoffmann howard hughes hussain ivanov jackson james jenkins
    jensen jimenez johnson jones kaur kelly kennedy khan kim klein kumar lee lewis lopez marshall martin
    martinez mcdonald mendoza meyer miller mitchell moore morales moreno morgan morris muller murphy
    murray myers nelson nguyen novak ortiz owens park parker patel patterson perez perry peters peterson
    petrov phillips powell price quinn ramirez ramos reed reyes reynolds richardson rivera roberts
    robinson rodriguez rogers romero ross rossi ruiz russell russo ryan sanchez sanders santos schmidt
    schneider schulz scott shah sharma shaw silva simmons simpson singh smith stevens stewart sullivan
    suzuki tanaka taylor thomas thompson torres tran turner vasquez wagner walker wallace wang ward
    watson weber west white williams wilson wong wood woods wright yamamoto yang young zhang
    """.split()
)
"""Frequent surnames: behind another word with a capital they make it a name."""

ALSO_PLACES = frozenset(
    """
    alexandria augusta austin charlotte chelsea dallas diego florence francisco georgia houston israel
    jackson jan jordan jose kent lourdes luis madison marshall mercedes orlando paris salvador santiago
    savannah sydney thomas vernon victoria virginia wendy
    """.split()
)
"""Given names that also name places and the like: alone they say nothing."""

TITLE = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Dr|Doctor|Prof|Professor|Sir|Madame?|Lord|Lady|Judge|Justice|Officer|Detective"
    r"|Inspector|Sergeant|Sgt|Lieutenant|Lt|Captain|Capt|Colonel|Col|Major|Senator|Sen|Congressman|Congresswoman"
    r"|Governor|Gov|Mayor|President|Chancellor|Minister|Prince|Princess|Pope|Rabbi|Imam|Reverend|Rev|Pastor|Uncle"
    r"|Aunt|Auntie|Grandma|Grandpa|Granny|Coach|Nurse|Producer|Actor|Actress|Singer|Author|Attorney|Agent"
    r"|Secretary|Director)"
)
RELATION = (
    "(?:friend|best friend|buddy|mate|brother|sister|mom|mum|mother|dad|father|wife|husband|girlfriend"
    "|boyfriend|fiancee?|partner|ex|son|daughter|cousin|nephew|niece|uncle|aunt|boss|manager|colleague|coworker|co-worker"
    "|assistant|secretary|neighbou?r|roommate|flatmate|teacher|tutor|student|doctor|lawyer|landlord|client)"
)
LABEL = (
    r"(?:(?:full|first|last|given|family|user|contact|customer|patient|employee|client|account|card ?holder)"
    r"[ '’s]{0,3})?(?:name|surname|contact|attn|patient|customer|client|employee|applicant|author|signed"
    r"|beneficiary|card ?holder|account holder|recipient|sender|manager|guardian|witness|tenant|landlord"
    r"|buyer|seller)"
)
SAYING = (
    "(?:lives|lived|was born|works (?:at|for|in)|worked (?:at|for|in)|moved (?:to|out|in)|grew up|graduated"
    "|passed away|said|asked|asks|replied|replies|told|tells|thinks|thought|texted|emailed|phoned|wrote"
    "|answered|laughed|smiled|cried|married|died|lied|apologi[sz]ed|promised|admitted|whispered|shouted"
    "|complained)"
)
TOLD = "(?:told|asked|texted|emailed|phoned|married|dated|met|thanked|invited|love you|miss you)"
SIGN_OFF = (
    "(?:(?:best|kind|warm|many|with)? ?(?:regards|wishes|thanks)|sincerely|yours(?: truly| sincerely)?|cheers"
    "|love|best|thanks|thank you|respectfully|cordially|xoxo)"
)
PARTICLES = frozenset("de da di del della der den van von bin ibn al la le dos das du ten ter el y".split())
NO_PERSON = frozenset(
    """
    act afghanistan africa african agency airport alright amazon america american analyst android anyways
    apartment apple april apt arabic argentina army asia asian association august australia australian
    austria avenue award awards band bank bay beach beijing belgium berlin besides bible bill boston
    boulevard brazil brazilian bridge britain british brothers buddhist bypass cafe california canada
    canadian catholic center central centre channel cheers chicago china chinese christian christmas
    chrome church cliffs club college committee company conference corp corporation council court
    crescent cup dad debian december dell denmark department discord doctor drive dutch east easter
    eastern egypt el england english enterprises europe european excel expressway facebook father
    february federal fedora festival finland firefox florida fort foundation france french friday general
    german germany gmail gnome god google grandma grandpa great greece greek group halloween hebrew
    heights helo highway hill hindu hmm holdings hospital hotel house housing hungary hurricane inc india
    indian indonesia industries instagram institute intel international internet investments iphone iran
    iraq ireland island israel italian italy january japan japanese java jewish journal july june kenya
    king kingdom korea korean lake lane las latin league lenovo library linux llc lodge london lord los
    ltd madam magazine malaysia march may mexican mexico microsoft minister ministry mom monday moreover
    moscow mother motorsports mount mountain mum museum muslim national navy netflix netherlands new news
    nigeria nintendo north northern norway november nvidia october office old opera orchestra outlook
    pakistan paris park partners party perl philippines playstation plaza poland polish port portugal
    post president press prize professor public python queen radio records reddit regards republic
    restaurant revolution river road romania route royal russia russian safari saint samsung san santa
    saturday school scotland seoul september sincerely singapore sir skype solutions sons sony south
    southern spain spanish spotify square stadium states station storm strasse street studio studios
    suite sunday sweden swedish switzerland systems team technologies telegram terrace texas thailand
    thanksgiving theater theatre thursday times tokyo treaty tropical tuesday turkey turkish tv twitter
    ubuntu ukraine union united unity university vietnam wales war washington way wednesday west western
    whatsapp wikipedia windows word xbox yahoo york yours youtube
    """.split()
)
"""Words with a capital that are part of no person's name, or make a place or an organisation of one."""
