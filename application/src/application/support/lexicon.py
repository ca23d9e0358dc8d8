# ruff: noqa: E501, SIM905 - a table's row is a line, and a list of words is a text
"""Words that turn a statement round, and words that mean the same, as tables.

A row is added by a line. English is complete; the other languages have their negations, modals,
limits and exceptions.
"""

from application.language import stem

# fmt: off
# Kinds of cues. Modals: what a clause allows or demands.
CUES: dict[str, dict[str, str]] = {
    "en": {
        "not": "neg", "never": "neg", "no": "neg", "none": "neg", "nobody": "neg", "no one": "neg",
        "nothing": "neg", "neither": "neg", "nor": "neg", "nowhere": "neg", "hardly": "neg",
        "fail to": "neg", "fails to": "neg", "failed to": "neg", "unable to": "unable",
        "without": "without", "lack": "without", "lacks": "without", "lacking": "without",
        "free of": "without", "free from": "without", "instead of": "without",
        "rather than": "without", "skip": "without", "skips": "without", "omit": "without",
        "omits": "without", "skipped": "forbidden", "omitted": "forbidden",
        "anyone but": "except", "anybody but": "except", "everyone but": "except",
        "all but": "except", "nowhere but": "only", "not anyone but": "only",
        "except": "except", "except for": "except", "except when": "unless", "except if": "unless",
        "excluding": "except", "excepting": "except", "other than": "except",
        "apart from": "except", "aside from": "except", "with the exception of": "except",
        "exempt": "except", "exempt from": "except", "but not": "except", "save for": "except",
        "unless": "unless",
        "only": "only", "solely": "only", "exclusively": "only", "nothing but": "only",
        "none but": "only", "no one but": "only", "nobody but": "only", "no other": "only",
        "nobody except": "only", "no one except": "only", "nobody other than": "only",
        "no one other than": "only", "nothing other than": "only", "not just": "", "not only": "",
        "may": "may", "might": "may", "could": "may", "allowed": "may", "permitted": "may",
        "permissible": "may", "permits": "may", "permit": "may", "allows": "may", "allow": "may",
        "entitled": "may", "at liberty": "may", "free to": "may", "has the right": "may",
        "have the right": "may", "has permission": "may", "have permission": "may",
        "lets": "may", "let": "may", "enables": "may", "right to": "may", "permission to": "may",
        "can": "can", "able to": "can", "possible": "can",
        "impossible": "unable", "unable": "unable",
        "must": "must", "shall": "must", "have to": "need", "has to": "need", "had to": "need",
        "having to": "need", "is to": "must", "are to": "must", "need to": "need",
        "needs to": "need", "need": "need", "needs": "need", "required": "need",
        "requires": "need", "require": "need", "necessary": "need", "mandatory": "need",
        "compulsory": "need", "obligatory": "need", "obliged": "need", "obligation": "need",
        "duty": "need", "needed": "need",
        "should": "should", "ought": "should", "recommended": "should", "recommend": "should",
        "recommends": "should", "advised": "should", "advisable": "should", "advise": "should",
        "preferably": "should",
        "optional": "optional", "voluntary": "optional", "optionally": "optional",
        "may choose": "optional", "need not": "optional",
        "forbidden": "forbidden", "prohibited": "forbidden", "banned": "forbidden",
        "disallowed": "forbidden", "forbids": "forbidden", "prohibits": "forbidden",
        "under no circumstances": "neg", "in no case": "neg", "by no means": "neg",
        "no longer": "neg", "not yet": "neg",
        "all": "all", "every": "all", "each": "all", "always": "all", "any": "any",
        "entire": "all", "everyone": "all", "everybody": "all", "everything": "all",
        "some": "some", "several": "some", "sometimes": "some", "occasionally": "some",
        "certain": "some", "most": "most", "mostly": "most", "usually": "most",
        "generally": "most", "typically": "most", "often": "most",
        "few": "few", "rarely": "few", "seldom": "few",
        "before": "before", "prior to": "before", "ahead of": "before", "until": "before",
        "after": "after", "following": "after", "once": "after", "than": "than",
        "precedes": "before", "precede": "before", "follows": "after",
    },
    "de": {
        "nicht": "neg", "kein": "neg", "keine": "neg", "keinen": "neg", "keinem": "neg",
        "keiner": "neg", "keines": "neg", "nie": "neg", "niemals": "neg", "niemand": "neg",
        "nichts": "neg", "weder": "neg", "ohne": "without", "nur": "only",
        "ausschließlich": "only", "lediglich": "only", "nicht nur": "", "außer": "except",
        "ausgenommen": "except", "mit ausnahme": "except", "es sei denn": "unless",
        "sofern nicht": "unless", "darf": "may", "dürfen": "may", "erlaubt": "may",
        "gestattet": "may", "zulässig": "may", "unzulässig": "forbidden", "kann": "can",
        "können": "can", "muss": "need", "müssen": "need", "erforderlich": "need",
        "verpflichtet": "need", "notwendig": "need", "nötig": "need", "pflicht": "need",
        "sollte": "should", "sollten": "should", "empfohlen": "should", "freiwillig": "optional",
        "optional": "optional", "verboten": "forbidden", "untersagt": "forbidden",
        "vor": "before", "bevor": "before", "nach": "after", "nachdem": "after",
        "alle": "all", "jeder": "all", "jede": "all", "jedes": "all", "immer": "all",
        "einige": "some", "manche": "some", "meist": "most", "meistens": "most", "selten": "few",
    },
    "fr": {
        "ne": "neg", "n": "neg", "pas": "neg", "jamais": "neg", "aucun": "neg", "aucune": "neg",
        "personne": "neg", "rien": "neg", "ni": "neg", "non": "neg", "sans": "without",
        "seulement": "only", "uniquement": "only", "exclusivement": "only", "sauf": "except",
        "excepté": "except", "hormis": "except", "à l'exception de": "except",
        "à moins que": "unless", "à moins de": "unless", "peut": "can", "peuvent": "can",
        "permis": "may", "autorisé": "may", "autorisée": "may", "autorisés": "may",
        "doit": "must", "doivent": "must", "obligatoire": "need", "nécessaire": "need",
        "requis": "need", "faut": "must", "devrait": "should", "devraient": "should",
        "recommandé": "should", "facultatif": "optional", "facultative": "optional",
        "interdit": "forbidden", "interdite": "forbidden", "interdits": "forbidden",
        "défendu": "forbidden", "avant": "before", "après": "after", "tous": "all",
        "toutes": "all", "chaque": "all", "toujours": "all", "certains": "some",
        "parfois": "some", "rarement": "few",
    },
    "es": {
        "no": "neg", "nunca": "neg", "jamás": "neg", "ningún": "neg", "ninguna": "neg",
        "ninguno": "neg", "nadie": "neg", "nada": "neg", "tampoco": "neg", "ni": "neg",
        "sin": "without", "solo": "only", "sólo": "only", "solamente": "only",
        "únicamente": "only", "exclusivamente": "only", "excepto": "except", "salvo": "except",
        "a menos que": "unless", "a no ser que": "unless", "puede": "can", "pueden": "can",
        "permitido": "may", "permitida": "may", "autorizado": "may", "debe": "must",
        "deben": "must", "tiene que": "need", "tienen que": "need", "obligatorio": "need",
        "obligatoria": "need", "necesario": "need", "necesaria": "need", "debería": "should",
        "deberían": "should", "recomendado": "should", "opcional": "optional",
        "voluntario": "optional", "prohibido": "forbidden", "prohibida": "forbidden",
        "prohíbe": "forbidden", "antes": "before", "después": "after", "todos": "all",
        "todas": "all", "siempre": "all", "algunos": "some", "algunas": "some",
        "a veces": "some", "rara vez": "few",
    },
    "it": {
        "non": "neg", "mai": "neg", "nessun": "neg", "nessuna": "neg", "nessuno": "neg",
        "niente": "neg", "nulla": "neg", "né": "neg", "senza": "without", "solo": "only",
        "soltanto": "only", "solamente": "only", "tranne": "except", "eccetto": "except",
        "salvo": "except", "a meno che": "unless", "può": "can", "possono": "can",
        "permesso": "may", "consentito": "may", "consentita": "may", "deve": "must",
        "devono": "must", "obbligatorio": "need", "necessario": "need", "dovrebbe": "should",
        "facoltativo": "optional", "vietato": "forbidden", "vietata": "forbidden",
        "proibito": "forbidden", "prima": "before", "dopo": "after", "tutti": "all",
        "ogni": "all", "sempre": "all", "alcuni": "some",
    },
    "pt": {
        "não": "neg", "nunca": "neg", "jamais": "neg", "nenhum": "neg", "nenhuma": "neg",
        "ninguém": "neg", "nada": "neg", "nem": "neg", "sem": "without", "só": "only",
        "apenas": "only", "somente": "only", "exceto": "except", "salvo": "except",
        "a menos que": "unless", "a não ser que": "unless", "pode": "can", "podem": "can",
        "permitido": "may", "permitida": "may", "deve": "must", "devem": "must",
        "obrigatório": "need", "necessário": "need", "deveria": "should", "opcional": "optional",
        "facultativo": "optional", "proibido": "forbidden", "proibida": "forbidden",
        "antes": "before", "depois": "after", "após": "after", "todos": "all", "sempre": "all",
        "alguns": "some",
    },
    "nl": {
        "niet": "neg", "geen": "neg", "nooit": "neg", "niemand": "neg", "niets": "neg",
        "noch": "neg", "zonder": "without", "alleen": "only", "slechts": "only",
        "uitsluitend": "only", "behalve": "except", "uitgezonderd": "except",
        "tenzij": "unless", "mag": "may", "mogen": "may", "toegestaan": "may", "kan": "can",
        "kunnen": "can", "moet": "must", "moeten": "must", "hoeft": "need", "hoeven": "need",
        "verplicht": "need", "nodig": "need", "vereist": "need", "optioneel": "optional",
        "vrijwillig": "optional", "verboden": "forbidden", "voor": "before", "voordat": "before",
        "na": "after", "nadat": "after", "alle": "all", "elke": "all", "altijd": "all",
        "sommige": "some",
    },
}

# Limits of a value: they stand before it, or (a leading "…") after it.
LIMITS: dict[str, dict[str, str]] = {
    "en": {
        "at least": ">=", "no less than": ">=", "not less than": ">=", "no fewer than": ">=",
        "not fewer than": ">=", "minimum": ">=", "minimum of": ">=", "min": ">=", "from": ">=",
        "since": ">=", "not before": ">=", "not until": ">=", "no earlier than": ">=",
        "not earlier than": ">=", "starting at": ">=", "no sooner than": ">=", "upwards of": ">=",
        "no lower than": ">=", "no younger than": ">=", "≥": ">=", ">=": ">=",
        "at the earliest": ">=", "at the latest": "<=", "… or more": ">=", "… or over": ">=", "… or above": ">=", "… or older": ">=",
        "… or longer": ">=", "… or later": ">=", "… and over": ">=", "… and above": ">=",
        "… and older": ">=", "… and up": ">=", "… upwards": ">=", "… at least": ">=",
        "… at the earliest": ">=", "… minimum": ">=", "… onwards": ">=", "… on": ">=",
        "at most": "<=", "no more than": "<=", "not more than": "<=", "up to": "<=",
        "within": "<=", "maximum": "<=", "maximum of": "<=", "max": "<=", "not exceed": "<=",
        "not exceeding": "<=", "never exceed": "<=", "no longer than": "<=",
        "not longer than": "<=", "not later than": "<=", "no later than": "<=", "by": "<=",
        "until": "<=", "till": "<=", "no higher than": "<=", "no older than": "<=",
        "not over": "<=", "not above": "<=", "capped at": "<=", "limited to": "<=", "≤": "<=",
        "<=": "<=", "as much as": "<=", "as many as": "<=", "at the latest by": "<=",
        "… or less": "<=", "… or fewer": "<=", "… or under": "<=", "… or below": "<=",
        "… or earlier": "<=", "… or younger": "<=", "… or shorter": "<=", "… and under": "<=",
        "… at most": "<=", "… at the latest": "<=", "… maximum": "<=",
        "more than": ">", "over": ">", "above": ">", "exceeds": ">", "exceed": ">",
        "exceeding": ">", "longer than": ">", "greater than": ">", "later than": ">",
        "older than": ">", "higher than": ">", "larger than": ">", "beyond": ">", "after": ">",
        "heavier than": ">", ">": ">", "warmer than": ">", "hotter than": ">",
        "less than": "<", "under": "<", "below": "<", "fewer than": "<", "shorter than": "<",
        "younger than": "<", "lower than": "<", "smaller than": "<", "earlier than": "<",
        "before": "<", "prior to": "<", "lighter than": "<", "<": "<", "colder than": "<",
        "cooler than": "<", "not reach": "<",
    },
    "de": {
        "mindestens": ">=", "wenigstens": ">=", "ab": ">=", "frühestens": ">=",
        "nicht weniger als": ">=", "nicht unter": ">=", "höchstens": "<=", "maximal": "<=",
        "bis zu": "<=", "bis": "<=", "innerhalb von": "<=", "binnen": "<=", "spätestens": "<=",
        "nicht mehr als": "<=", "mehr als": ">", "über": ">", "länger als": ">", "nach": ">",
        "weniger als": "<", "unter": "<", "kürzer als": "<", "vor": "<",
    },
    "fr": {
        "au moins": ">=", "minimum": ">=", "à partir de": ">=", "à partir du": ">=",
        "au plus": "<=", "au maximum": "<=", "maximum": "<=", "jusqu'à": "<=", "jusqu": "<=",
        "dans les": "<=", "au plus tard": "<=", "plus de": ">", "après": ">", "moins de": "<",
        "avant": "<", "pas plus de": "<=", "pas moins de": ">=",
    },
    "es": {
        "al menos": ">=", "como mínimo": ">=", "mínimo": ">=", "a partir de": ">=",
        "como máximo": "<=", "máximo": "<=", "a lo sumo": "<=", "hasta": "<=", "más de": ">",
        "después de": ">", "menos de": "<", "antes de": "<", "no más de": "<=",
        "no menos de": ">=",
    },
    "it": {
        "almeno": ">=", "minimo": ">=", "al massimo": "<=", "massimo": "<=", "fino a": "<=",
        "entro": "<=", "più di": ">", "dopo": ">", "meno di": "<", "prima": "<",
    },
    "pt": {
        "pelo menos": ">=", "no mínimo": ">=", "no máximo": "<=", "até": "<=", "mais de": ">",
        "após": ">", "menos de": "<", "antes de": "<",
    },
    "nl": {
        "minstens": ">=", "ten minste": ">=", "minimaal": ">=", "vanaf": ">=", "hoogstens": "<=",
        "maximaal": "<=", "ten hoogste": "<=", "tot": "<=", "binnen": "<=", "meer dan": ">",
        "na": ">", "minder dan": "<", "voor": "<",
    },
}

# fmt: on

# Opposites: one stands for the negation of the other.
OPPOSITES = """
open close|open shut|enable disable|enabled disabled|increase decrease|increase reduce|raise lower
rise fall|grow shrink|start stop|start end|begin end|begin finish|begins ends|activate deactivate
connect disconnect|include exclude|accept reject|accept refuse|approve reject|approve deny
approve refuse|grant refuse|grant deny|allow prevent|lock unlock|attach detach|attach remove
add remove|install uninstall|install remove|insert remove|fill empty|fill drain|load unload
push pull|import export|upload download|encrypt decrypt|compress decompress|mount unmount
minimum maximum|min max|minimal maximal|lowest highest|low high|lower higher|smallest largest
small large|short long|shorter longer|shortest longest|early late|earlier later|earliest latest
first last|more less|more fewer|most least|above below|over under|inside outside|internal external
upper lower|top bottom|left right|front rear|front back|clockwise anticlockwise
clockwise counterclockwise|hot cold|warm cool|warmer colder|heat cool|wet dry|full empty|on off
true false|valid invalid|valid void|legal illegal|visible hidden|show hide|public private
success failure|succeed fail|pass fail|win lose|gain lose|profit loss|buy sell|lend borrow
cheap expensive|cheaper expensive|easy difficult|easier harder|rich poor|loud quiet|near far
employer employee|landlord tenant|lessor lessee|licensor licensee|buyer seller|lender borrower
sender recipient|sender receiver|debtor creditor|client server|input output|inlet outlet
ascending descending|ascend descend|forward backward|advance delay|accelerate slow|fast slow
faster slower|strong weak|stronger weaker|heavy light|heavier lighter|thick thin|wide narrow
deep shallow|old new|older newer|oldest newest|older younger|up down|upgrade downgrade|paid unpaid
deposit withdraw|debit credit|arrive leave|arrival departure|enter leave|enter exit|entry exit
join leave|remember forget|keep discard|keep delete|save discard|create delete|create destroy
appear disappear|improve worsen|strengthen weaken|extend shorten|expand contract|tighten loosen
mandatory optional|compulsory voluntary|required optional|permanent temporary|safe dangerous
safe unsafe|morning evening|day night|summer winter|north south|east west|weekday weekend
before after|always never|everyone nobody|positive negative|plus minus|gross net|adult child
male female|mother father|husband wife|primary secondary|online offline|manual automatic
manually automatically|single double|even odd|acid alkaline|solid liquid|sync async
synchronous asynchronous|read write|ingress egress|inbound outbound|incoming outgoing
domestic foreign|stay leave|better worse|best worst|present absent|together separately
confirm deny|admit deny|agree disagree|alive dead|happy unhappy|wake sleep|win loss
öffnen schließen|öffnet schließt|einschalten ausschalten|aktivieren deaktivieren|erhöhen senken
erhöhen verringern|beginnt endet|beginnen enden|starten stoppen|erste letzte|ersten letzten
mindestens höchstens|minimum maximum|käufer verkäufer|mieter vermieter|arbeitgeber arbeitnehmer
geöffnet geschlossen|offen geschlossen|eingeschaltet ausgeschaltet|aktiviert deaktiviert
steigt sinkt|gestiegen gesunken|kostenfrei kostenpflichtig|gültig ungültig|voll leer
links rechts|oben unten|vorher nachher|ein aus|kostenlos kostenpflichtig
ouvrir fermer|ouvre ferme|activer désactiver|augmenter diminuer|augmenter réduire|commence finit
premier dernier|première dernière|acheteur vendeur|locataire bailleur|gauche droite
abrir cerrar|abre cierra|activar desactivar|aumentar disminuir|aumentar reducir|empieza termina
primero último|primera última|primer último|comprador vendedor|inquilino arrendador
izquierda derecha|abierto cerrado|abierta cerrada|sube baja|aumenta disminuye|gratuito pagado
ouvert fermé|ouverte fermée|monte baisse|augmente diminue|plein vide|aberto fechado|aperto chiuso
apre chiude|open gesloten
"""

# Of each line only one can be true at a time: a statement may not name another than its source.
EXCLUSIVE = """
monday tuesday wednesday thursday friday saturday sunday
spring summer autumn winter
red blue green yellow black white orange purple brown grey pink
north south east west
first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth last
morning noon afternoon evening night
daily weekly monthly quarterly yearly hourly
montag dienstag mittwoch donnerstag freitag samstag sonntag
lundi mardi mercredi jeudi vendredi samedi dimanche
lunes martes miércoles jueves viernes sábado domingo
rot blau grün gelb schwarz weiß
rouge bleu vert jaune noir blanc
rojo azul verde amarillo negro blanco
oral rectal nasal intravenous
breakfast lunch dinner supper
copper steel brass aluminium iron plastic wood glass
"""

SAME = """
employee worker staff staffer personnel colleague
buy purchase acquire
begin start commence
end finish stop terminate conclude
show display
get receive obtain
give provide supply
pay paid payment
cost price fee charge
big large
small little
fast quick quickly rapid rapidly
fix repair mend
choose select pick
delete remove erase
change alter modify replace exchange swap
keep store retain preserve save
send submit transmit forward
need require necessary required
must mandatory obligatory compulsory required
ask request
tell inform notify
report notify
check verify inspect examine control
use utilise utilize apply employ
help assist support aid
happen occur
company firm business employer
car vehicle
doctor physician
medicine drug medication
tablet pill
child children kid
person people somebody someone anyone
illness disease sickness
signature sign signed
contract agreement
rent lease
flat apartment
holiday vacation leave
salary pay wage wages
phone telephone mobile
laptop computer notebook
mail email
picture photo photograph image
error fault failure defect
damage harm
broken defective faulty damaged
allow permit enable let
forbid prohibit ban
annual annually yearly year
daily day
weekly week
monthly month
hourly hour
hour hours
free gratis complimentary
immediately instantly once straightaway
approve authorise authorize consent approval
permission consent approval authorisation authorization
previous former earlier prior
next following subsequent
maximum most largest highest greatest
minimum least smallest lowest
whole entire full complete
part portion component
correct right proper
wrong incorrect
near close beside next adjacent
build construct
make produce manufacture create
contain hold include comprise
last take endure
weigh weight
height high tall
length long
width wide
depth deep
live reside
enter entry entrance access
liable liability
able ability
possible possibility
think consider regard believe deem
ensure guarantee
obligation duty
enough sufficient suffice
comply observe obey
try attempt
whenever if when
cover include insure
affect concern
finish complete
meeting appointment
arrive come
leave depart
return back give
take remove
lost missing
steal stolen theft
locked blocked
expire lapse end
cancel terminate terminated termination
notice notification
invoice bill
customer client
supplier vendor
owner holder
manager lead head supervisor boss
director head
responsible charge
open opened
hand handed give
move transfer
place location site
room
refund reimburse repay reimbursement
back up backup
reboot restart
login signin
log sign
password passcode
folder directory
run execute
download
update upgrade
version release
setting option parameter configuration
default standard
swallow take taken
breastfeed breastfeeding nurse nursing
pregnant pregnancy
swelling swollen
eat food meal
alcohol
drive driving
per each every
euro eur
percent
half
"""


def _pairs(table: str) -> list[list[str]]:
    lines = [line.split("|") for line in table.strip().splitlines()]
    return [pair.split() for line in lines for pair in line]


def _by_stem(rows: list[list[str]]) -> dict[str, set[str]]:
    related: dict[str, set[str]] = {}
    for row in rows:
        for language in ("en", "de", "fr", "es"):
            stems = {stem(word, language) for word in row}
            for word in stems:
                related.setdefault(word, set()).update(stems - {word})
    return related


OPPOSITE: dict[str, set[str]] = _by_stem(_pairs(OPPOSITES))
RIVALS: dict[str, set[str]] = _by_stem([line.split() for line in EXCLUSIVE.strip().splitlines()])
SYNONYMS: dict[str, set[str]] = _by_stem([line.split() for line in SAME.strip().splitlines()])

# Forms that the stemmer does not know.
IRREGULAR = dict(
    pair.split(">")
    for pair in """
    children>child men>man women>woman feet>foot people>person persons>person bought>buy sold>sell
    sent>send told>tell taken>take took>take taking>take given>give gave>give giving>give kept>keep
    held>hold lost>lose met>meet made>make got>get gotten>get getting>get began>begin
    begun>begin ran>run running>run fell>fall fallen>fall rose>rise risen>rise grew>grow grown>grow
    written>write wrote>write built>build chosen>choose chose>choose stolen>steal stole>steal
    broken>break broke>break drove>drive driven>drive spoke>speak spoken>speak went>go gone>go
    came>come became>become found>find said>say saw>see seen>see knew>know known>know shown>show
    drawn>draw worn>wear wore>wear lent>lend spent>spend won>win slept>sleep stood>stand
    brought>bring thought>think caught>catch taught>teach led>lead fed>feed bound>bind lay>lie
    swollen>swell understood>understand forgot>forget forgotten>forget heard>hear felt>feel
    meant>mean dealt>deal hidden>hide shook>shake sank>sink sung>sing swam>swim threw>throw
    thrown>throw flew>fly flown>fly ate>eat eaten>eat drank>drink drunk>drink froze>freeze
    frozen>freeze rode>ride ridden>ride used>use using>use uses>use takes>take gives>give
    gets>get tells>tell says>say lying>lie dying>die tying>tie oldest>old older>old elder>old
    """.split()
)

# Words that say little: a source need not have them.
LIGHT = frozenset(
    stem(word)
    for word in """
    take give use say one ones people person someone somebody anybody
    make go away come become happen let put set something anything thing case order way there
    also still then already always ever together different possible possibility take place get
    gets gotten certain any every whether however therefore thus means mean else such various
    kind type sort number amount total time times date full own respective relevant actually
    simply please currently respectively entirely completely within during upon via regarding
    concerning according stay remain consist concern apply involve exist document text state
    states stated say describe mention note starting
    """.split()
)

# Verbs whose subject and object are not the same party; "A pays B" is not "B pays A".
VERBS = frozenset(
    stem(word)
    for word in """
    pay reimburse refund send give hand deliver supply provide notify inform tell report call email
    contact ask invite teach train supervise manage lead control own buy sell rent lease lend borrow
    charge invoice owe approve sign accept reject review check inspect test audit replace supersede
    override overwrite precede follow include contain exceed depend trigger cause prevent block
    protect treat infect support host serve query read write copy move import export convert inherit
    extend call invoke load import encrypt employ hire dismiss sue insure compensate indemnify
    license assign transfer grant receive help assist visit answer advise represent appoint elect
    pass transmit forward escalate delegate monitor measure power drive feed fill drain cool heat
    start stop open close lock unlock connect cover cost get take hold earn weigh last run bear
    return keep store delete create change use need require choose repair clean remove wear
    """.split()
)
