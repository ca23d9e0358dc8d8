"""Values of a text: numbers with their units, dates, times of day, codes and their limits."""

import re
from dataclasses import dataclass
from decimal import Decimal

from application.numerals import canonical

_UNIT_ROWS = """
time 1 s sec secs second seconds sekunde sekunden seconde secondes segundo segundos
time 0.001 ms millisecond milliseconds
time 60 min mins minute minutes minuten minuto minutos
time 3600 h hr hrs hour hours stunde stunden std heure heures hora horas uur
time 86400 d day days tag tage tagen jour jours día días dia dias dag dagen giorno giorni
time 604800 week weeks wk wks woche wochen semaine semaines semana semanas settimana settimane
time 1209600 fortnight fortnights
month 1 month months monat monate monaten mois mes meses mese mesi maand maanden
month 3 quarter quarters quartal quartale
month 12 year years yr yrs annum jahr jahre jahren an ans année années año años anno anni jaar
mass 0.000001 µg μg mcg microgram micrograms
mass 0.001 mg milligram milligrams milligramm
mass 1 g gram grams gramm
mass 1000 kg kilo kilos kilogram kilograms kilogramm
mass 1000000 t tonne tonnes ton tons tonnen
length 0.001 mm millimetre millimetres millimeter millimeters
length 0.01 cm centimetre centimetres centimeter centimeters
length 1 m metre metres meter meters mètre mètres metro metros
length 1000 km kilometre kilometres kilometer kilometers
inch 1 inch inches zoll
inch 12 foot feet ft
mile 1 mile miles
area 1 m² m2 sqm
area 0.000001 mm²
area 0.0001 cm²
volume 0.001 ml millilitre millilitres milliliter milliliters
volume 0.01 cl
volume 1 l litre litres liter liters
volume 1000 m³ m3
power 0.001 mW milliwatt
power 1 W watt watts
power 1000 kW kilowatt kilowatts
power 1000000 MW megawatt megawatts
power 1000000000 GW gigawatt gigawatts
energy 1 Wh
energy 1000 kWh
energy 1000000 MWh
calorie 1 kcal calories
voltage 0.001 mV
voltage 1 V volt volts
voltage 1000 kV
current 0.001 mA milliampere
current 1 A amp amps ampere amperes
resistance 1 ohm ohms Ω
resistance 1000 kilohm kilohms kΩ
pressure 1 bar bars
pressure 0.001 mbar millibar
pressure 0.00001 Pa pascal
pressure 0.01 kPa
pressure 10 MPa
frequency 1 Hz hertz
frequency 1000 kHz
frequency 1000000 MHz
frequency 1000000000 GHz
bytes 1 B byte bytes
bytes 1000 kB KB kilobyte kilobytes
bytes 1000000 MB megabyte megabytes
bytes 1000000000 GB gigabyte gigabytes
bytes 1000000000000 TB terabyte terabytes
binary 1024 KiB
binary 1048576 MiB
binary 1073741824 GiB
bitrate 1000 kbit/s kbps
bitrate 1000000 Mbit/s Mbps
bitrate 1000000000 Gbit/s Gbps
celsius 1 °C celsius degrees-celsius degree-celsius degrees-c
fahrenheit 1 °F fahrenheit
kelvin 1 K kelvin
degree 1 ° degree degrees grad
torque 1 Nm
decibel 1 dB dBm
percent 1 % percent per-cent pct prozent pourcent porciento
permille 1 ‰
point 1 percentage-points
euro 1 € eur euro euros EUR
dollar 1 $ usd dollar dollars USD
pound 1 £ gbp pound pounds GBP
franc 1 chf francs franken CHF
yen 1 ¥ yen JPY jpy
krona 1 SEK kronor
times 1 times time mal fois veces volte keer
workday 1 workday workdays werktag werktage arbeitstag arbeitstage
"""
UNITS: dict[str, tuple[str, Decimal]] = {
    name: (row.split()[0], Decimal(row.split()[1]))
    for row in _UNIT_ROWS.strip().splitlines()
    for name in row.split()[2:]
}
AMBIGUOUS = frozenset({"a", "an", "min", "t", "mes", "on", "time"})  # words as well as units
PERIODS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
CURRENCY = {"€": "euro", "$": "dollar", "£": "pound", "¥": "yen"}

_MONTH_ROWS = [
    "january jan januar jänner janvier enero gennaio janeiro januari",
    "february feb februar février febrero febbraio fevereiro februari",
    "march mar märz mars marzo março maart",
    "april apr avril abril aprile",
    "may mai mayo maggio maio mei",
    "june jun juni juin junio giugno junho",
    "july jul juli juillet julio luglio julho",
    "august aug août agosto augustus",
    "september sep sept septembre septiembre settembre setembro",
    "october oct oktober okt octobre octubre ottobre outubro",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre diciembre dicembre dezembro",
]
MONTHS = {name: i for i, row in enumerate(_MONTH_ROWS, 1) for name in row.split()}

_NUMBER_ROWS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen twenty",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn"
    " fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze"
    " seize dix-sept dix-huit dix-neuf vingt",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince"
    " dieciséis diecisiete dieciocho diecinueve veinte",
    "it": "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici"
    " quattordici quindici sedici diciassette diciotto diciannove venti",
    "pt": "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze"
    " dezesseis dezessete dezoito dezenove vinte",
    "nl": "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien"
    " vijftien zestien zeventien achttien negentien twintig",
}
_TENS = "thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS: dict[str, dict[str, int]] = {
    language: {word: i for i, word in enumerate(row.split())}
    for language, row in _NUMBER_ROWS.items()
}
NUMBER_WORDS["en"] |= {word: 10 * i for i, word in enumerate(_TENS.split(), 3)}
NUMBER_WORDS["de"] |= {"dreißig": 30, "vierzig": 40, "fünfzig": 50, "sechzig": 60, "hundert": 100}
NUMBER_WORDS["fr"] |= {"trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60, "cent": 100}
NUMBER_WORDS["es"] |= {"treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "cien": 100}
ARTICLES = frozenset({"one", "un", "uno", "um", "een", "sei", "nove"})  # they need not count
SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "bn": 10**9,
          "dozen": 12, "tausend": 1000, "millionen": 10**6, "mio": 10**6, "milliarden": 10**9,
          "mille": 1000, "millions": 10**6, "mil": 1000, "millones": 10**6, "milliards": 10**9,
          "k": 1000}  # fmt: skip
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
            "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "twelfth": 12}  # fmt: skip

TOKEN = re.compile(
    r"""(?P<iso>\d{4}-\d{2}-\d{2}(?!\d))
    |(?P<dotted>(?<![\d.])\d{1,2}\.\s?\d{1,2}\.\s?\d{4}(?!\d))
    |(?P<slashed>(?<![\d/])\d{1,2}/\d{1,2}/\d{4}(?!\d))
    |(?P<clock>(?<![\d:.,])(?:\d{1,2}[:.]\d{2}\s?(?:[ap]\.m\.|[ap]m\b)|\d{1,2}:\d{2}(?::\d{2})?
        |\d{1,2}h\d{2}\b|\d{1,2}\s?(?:[ap]\.m\.|[ap]m\b)|\d{1,2}(?=\s(?:Uhr|o'clock)\b)))
    |(?P<code>(?<![\w])[^\W\d_]+(?:[-_.]?\d+[^\W_]*)+(?:[-_]\w+)*|\d+(?:\.\d+){2,}(?![\d])
        |(?<![\w])\d+[^\W\d_]+\d\w*(?:-\w+)*)
    |(?P<number>(?:(?<![\w./:,)\]%-])(?:[-+]|(?<=\s)–|^–))?\d+(?:[.,]\d+)*)
    |(?P<money>[€$£¥](?=\s?\d))
    |(?P<unit>°\s?[CF]\b|°|[%‰€$£¥])
    |(?P<word>\w[\w\u0300-\u036f]*(?:['’]\w+)?)
    |(?P<mark>[,;:!?|()\[\]{}.…。！？、，；]|[-–—/]|[<>≤≥]=?)""",
    re.VERBOSE,
)
SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?[eE][-+]?\d{1,2}")


@dataclass(frozen=True, slots=True)
class Value:
    """One value: equal ones have the same kind and the same amount."""

    kind: str  # a dimension such as "time", or "number", "date", "clock", "code"
    amount: Decimal | str | tuple[int | None, ...]
    place: int  # of its token
    limit: str = ""  # "<", "<=", ">" or ">="
    per: str = ""  # the period or thing that it is counted by
    counted: str = ""  # stem of the noun behind a plain number
    end: int = 0  # the last token that belongs to it
    implied: bool = False  # from an article: "an hour"
    raw: Decimal | None = None  # the number as it is written, whatever its unit

    @property
    def mark(self) -> str:
        """The value as a word."""
        return f"{self.kind} {self.amount}"

    def equals(self, other: "Value") -> bool:
        """Whether both are the same value; a plain number equals one with any unit."""
        if self.kind == "date" == other.kind:
            return _same_date(self.amount, other.amount)
        if {self.kind, other.kind} == {"date", "number"}:
            date, number = (self, other) if self.kind == "date" else (other, self)
            year = date.amount[0] if isinstance(date.amount, tuple) else None
            return year is not None and number.amount == Decimal(year)
        if self.kind == other.kind:
            return self.amount == other.amount
        return (
            "number" in (self.kind, other.kind) and self.raw is not None and self.raw == other.raw
        )

    def rivals(self, other: "Value") -> bool:
        """Whether both are of one kind and differ."""
        return self.kind == other.kind and self.kind != "code" and not self.equals(other)


def _same_date(one: object, other: object) -> bool:
    """Whether the parts that both dates name are the same; the first names no more than that."""
    if not (isinstance(one, tuple) and isinstance(other, tuple)):
        return False
    return any(mine is not None for mine in one) and all(
        mine is None or mine == theirs for mine, theirs in zip(one, other, strict=True)
    )


def clock_minutes(written: str) -> Decimal:
    """Minutes since midnight of a time of day such as "2 pm" or "14:00"."""
    digits = [int(part) for part in re.findall(r"\d+", written)]
    hour, minute = digits[0], digits[1] if len(digits) > 1 else 0
    half = re.search(r"([ap])\.?m", written.lower())
    if half:
        hour = hour % 12 + (12 if half[1] == "p" else 0)
    return Decimal(hour * 60 + minute)


def unit_of(written: str) -> tuple[str, Decimal] | None:
    """Dimension and factor of a unit as it is written, else of its lower-case form."""
    return UNITS.get(written) or UNITS.get(written.lower().replace(" ", ""))


def number_of(written: str, language: str) -> Decimal | None:
    """A number in digits."""
    found = canonical(written.replace("–", "-"), language)
    return Decimal(found) if found is not None else None
