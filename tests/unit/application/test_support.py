# ruff: noqa: E501 - a row of the table is a line
"""The support check, as a table of what it must and must not accept: add a row by a line.

A row is `+` (supported) or `-` (not supported), the statement, the source, and, where there is one,
the question, and the header or lead that the source hangs on.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.support import Judgement, Source, judge

TABLE = """
# what people reported of similar systems
- The warranty covers the seal kit and the gasket. | The warranty does not cover the seal kit or the gasket.
- Disable the interlock while the pump runs. | Never disable the interlock while the pump runs.
- 25 litres of mineral oil from the blue drum. | The gearbox takes 2,5 litres of mineral oil from the blue drum.
+ 2.5 litres of mineral oil from the blue drum. | The gearbox takes 2,5 litres of mineral oil from the blue drum.
+ The price is 1,200 euros. | The price is 1200 euros.
+ The price is 10,000 euros. | The price is 10 000 euros.
+ The price is 10,000 euros. | The price is 10\u00a0000 euros.
+ The price is 10,000 euros. | The price is 10\u202f000 euros.
+ 9900 euros | A1: colour: red; width: 30 mm; price: 9900 euros | What is the price of A1?
- 9800 euros | A1: colour: red; width: 30 mm; price: 9900 euros | What is the price of A1?
+ 三十六个月 | 保修期为三十六个月。 | 保修期多长？
+ 36个月 | 保修期为三十六个月。 | 保修期多长？
- 二十四个月 | 保修期为三十六个月。 | 保修期多长？
+ 運費由買方承擔。 | 運費由買方承擔。
- 运费不由买方承担。 | 运费由买方承担。
+ 保証期間は36か月です | 保証期間は三十六か月です
+ 36 Monate | Die Garantie beträgt 36 Monate. | Wie lange gilt die Garantie?
+ The fee is about 40 euros. | The fee is approx. 40 euros, i.e. No. 3 on the list, set by Dr. Example of St. Mary.
- The fee is 14 euros. | The fee is approx. 40 euros, i.e. No. 3 on the list, set by Dr. Example of St. Mary.

# negation
- Refunds are possible. | Refunds are not possible.
+ Refunds are impossible. | Refunds are not possible.
+ You can't get a refund. | You cannot get a refund.
- You can get a refund. | You cannot get a refund.
- Parking costs nothing. | Parking does not cost nothing; it costs 4 euros.
+ Parking is free. | Parking is free of charge.
+ There is no charge for parking. | Parking is free of charge.
- The lift works without a key. | The lift does not work without a key.
- Nobody has to register. | Everybody has to register.
+ The heater never runs in summer. | In summer the heater does not run.
- The heater runs in summer. | In summer the heater does not run.
+ No member has voted. | None of the members voted.
- Members have voted. | No member has voted.
+ The door is closed at night. | The door is not open at night.
- The door is open at night. | The door is not open at night.
+ The cable is included. | The cable isn't excluded.
- The report mentions leaks. | The report does not mention any leaks.
+ The sauna is closed on Mondays. | The sauna doesn't open on Mondays.
+ Interest is not tax-free. | Interest is not tax-free, but dividends are.
- Dividends are not tax-free. | Interest is not tax-free, but dividends are.
- Books are covered, toys are not. | Toys are covered, books are not.

# modality
- Guests must leave by ten. | Guests may leave by ten.
- Guests may leave by ten. | Guests must leave by ten.
+ Guests have to leave by ten. | Guests must leave by ten.
+ Leaving by ten is mandatory for guests. | Guests must leave by ten.
- Guests should leave by ten. | Guests must leave by ten.
+ You are not allowed to swim here. | Swimming here is prohibited.
+ Swimming is banned here. | You must not swim here.
- You need not swim here. | You must not swim here.
- You must not sign. | You do not need to sign.
+ Signing is optional. | You do not need to sign.
+ A signature is not required. | You don't have to sign.
- A signature is required. | A signature is not required.
+ Members can vote by mail. | Members may vote by mail.
- Members may not vote by mail. | Members may vote by mail.
+ Users ought to change the password monthly. | Users should change the password every month.
- Users must change the password monthly. | Users should change the password every month.
+ The gate must stay shut. | The gate must be kept shut.
- The gate can stay open. | The gate must be kept shut.

# only, except, unless, all, some
- Everyone can enter the lab. | Only staff can enter the lab.
+ Nobody but staff can enter the lab. | Only staff can enter the lab.
- Only staff can enter the lab. | Staff and guests can enter the lab.
- All fruit is sold by weight. | All fruit except melons is sold by weight.
- Melons are sold by weight. | All fruit except melons is sold by weight.
+ All fruit apart from melons is sold by weight. | All fruit except melons is sold by weight.
- The alarm sounds if the door is shut. | The alarm sounds unless the door is shut.
+ The alarm sounds if the door is not shut. | The alarm sounds unless the door is shut.
- All lamps are tested. | Some lamps are tested.
- Most lamps are tested. | All lamps are tested.
+ Every lamp is tested. | All lamps are tested.
+ Entry is only possible with a helmet. | Do not enter without a helmet.

# limits
- At most three people may ride. | At least three people may ride.
+ No more than three people may ride. | Up to three people may ride.
+ A maximum of three people may ride. | At most 3 people may ride.
- More than three people may ride. | At most three people may ride.
+ You have to be 18 or older. | You must be at least 18.
- You have to be older than 18. | You must be at least 18.
- You have to be under 18. | You must be at least 18.
+ Reply by 5 May. | Reply no later than May 5.
- Reply after 5 May. | Reply no later than 5 May.
+ The minimum age is 16. | You must be at least 16 years of age.
- The maximum age is 16. | The minimum age is 16.
+ Bags of over 20 kg cost extra. | Bags heavier than 20 kg cost extra.
- Bags under 20 kg cost extra. | Bags heavier than 20 kg cost extra.
+ It takes less than an hour. | It takes under one hour.
- It takes more than an hour. | It takes under one hour.
- The shop has 50 workers. | The shop has fewer than 50 workers.
+ between 3 and 5 days | Delivery takes 3-5 days. | How long does delivery take?
- 5 to 8 days | Delivery takes 3-5 days. | How long does delivery take?

# roles and order
- The dog bit the postman. | The postman bit the dog.
- The bank owes the client 300 euros. | The client owes the bank 300 euros.
+ The bank is owed 300 euros by the client. | The client owes the bank 300 euros.
- The teacher was helped by the pupil. | The teacher helped the pupil.
+ The pupil was helped by the teacher. | The teacher helped the pupil.
- Send the form from Bonn to Ghent. | Send the form from Ghent to Bonn.
- Iron is lighter than cork. | Cork is lighter than iron.
+ Iron is heavier than cork. | Cork is lighter than iron.
- Oil the chain before you clean it. | Clean the chain before you oil it.
+ Oil the chain after cleaning it. | Clean the chain before oiling it.
+ Before oiling, clean the chain. | Clean the chain before oiling it.
- The module calls the driver. | The driver calls the module.
+ The driver is called by the module. | The module calls the driver.
- Version 2 replaces version 3. | Version 3 replaces version 2.

# opposites
- The valve opens at 3 bar. | The valve closes at 3 bar.
- Sales increased in May. | Sales decreased in May.
+ Sales went down in May. | Sales fell in May.
- Turn the pump on before cleaning. | Turn the pump off before cleaning.
- The first page is blank. | The last page is blank.
- The left lane is closed. | The right lane is closed.
- The tank is full. | The tank is empty.
+ The tank is not empty. | The tank is full.
- The account is locked. | The account is unlocked.
- The buyer bears the risk. | The seller bears the risk.
+ The shop shuts at noon. | The shop closes at noon.

# numbers, signs, marks, exponents
- The low was 5 °C. | The low was -5 °C.
+ The low was −5 °C. | The low was -5 °C.
+ There are two pumps. | There are 2 pumps.
- There are three pumps. | There are 2 pumps.
+ A box holds a dozen eggs. | A box holds 12 eggs.
+ The bearing lasts 2,000,000 turns. | The bearing lasts 2 x 10^6 turns.
+ The bearing lasts 2 x 10⁶ turns. | The bearing lasts 2 million turns.
- The bearing lasts 2 x 10⁵ turns. | The bearing lasts 2 x 10⁶ turns.
- The bearing lasts 106 turns. | The bearing lasts 10⁶ turns.
+ The rate is 1e6 per second. | The rate is 1,000,000 per second.
- The rate is 1.5 percent. | The rate is 15 percent.
- The rate is 1.5 percent. | The rate is 0.15 percent.
+ twenty-five | The hall has 25 seats. | How many seats does the hall have?
+ 250 | There are two hundred and fifty seats. | How many seats are there?
- The part number is AX-12. | The part number is AX-21.
+ The part number is AX12. | The part number is AX-12.

# units
- The dose is 5 g. | The dose is 5 mg.
+ The dose is 5 milligrams. | The dose is 5 mg.
+ The dose is 0.005 g. | The dose is 5 mg.
- The plant makes 40 kW. | The plant makes 40 MW.
- The fee is 20 dollars. | The fee is 20 euros.
+ The fee is €20. | The fee is 20 euros.
- 14 | The trial lasts 14 weeks. | How many days does the trial last?
+ 14 | The trial lasts two weeks. | How many days does the trial last?
- The rent is 300 euros a week. | The rent is 300 euros a month.
+ The rent is 300 euros monthly. | The rent is 300 euros per month.
+ The film lasts 90 minutes. | The film lasts an hour and 30 minutes.
- The score rose by 5 euros. | The score rose by 5 percent.
+ 48 hours | Wait two days. | How long must I wait?

# values and names of something else
- The adult ticket costs 6 euros. | The adult ticket costs 9 euros, the child ticket 6 euros.
+ The child ticket costs 6 euros. | The adult ticket costs 9 euros, the child ticket 6 euros.
- 6 euros | The adult ticket costs 9 euros, the child ticket 6 euros. | What does the adult ticket cost?
+ 9 euros | The adult ticket costs 9 euros, the child ticket 6 euros. | What does the adult ticket cost?
- Ann Reed leads sales. | Ann Reed leads support and Bo Lind leads sales.
+ Bo Lind leads sales. | Ann Reed leads support and Bo Lind leads sales.
- Ann Reed | Ann Reed leads support and Bo Lind leads sales. | Who leads sales?
- Zed Orr leads sales. | Bo Lind leads sales.
- The lamp weighs 3 kg. | The desk weighs 3 kg.

# dates
+ It ends on March 3, 2026. | It ends on 2026-03-03.
+ It ends on 3 March. | It ends on 03.03.2026.
- It ends on 4 March. | It ends on 3 March 2026.
- It ends in April. | It ends in March.
+ in 2026 | It ends on 3 March 2026. | In which year does it end?
- on Tuesday | It ends on Monday. | On which day does it end?
+ It starts at 2 pm. | It starts at 14:00.
- It starts at 2 am. | It starts at 14:00.
+ It starts at half an hour's notice. | It starts at 30 minutes' notice.

# yes and no
+ Yes. | Dogs are allowed. | Are dogs allowed?
- No. | Dogs are allowed. | Are dogs allowed?
+ No. | Dogs are not allowed. | Are dogs allowed?
+ No, they are not. | Dogs are forbidden. | Are dogs allowed?
- Yes, dogs are allowed. | Dogs are forbidden. | Are dogs allowed?
+ No. | You do not have to pay. | Do I have to pay?
- Yes. | You do not have to pay. | Do I have to pay?

# what a paraphrase may do
+ Lost badges must be reported to reception. | Report lost badges to reception.
+ PTO must be approved. | Paid time off must be approved.
+ Employees are paid on the 25th. | Pay is transferred to employees on the 25th of each month.
+ Each employee gets a laptop on day one. | On day one, every employee receives a laptop and a bag.
+ Batteries get replaced yearly by the technician. | The technician replaces the batteries every year.
+ The invoice has to be checked by accounting. | Accounting must check the invoice.
+ Two relays control the fan. | The fan is controlled by two relays.
+ The office is in Oslo. | Our office is located in Oslo, near the harbour.
- The office is in Bergen. | Our office is located in Oslo, near the harbour.
- Everyone enjoys ponies. | Our office is located in Oslo, near the harbour.
- I could not find an answer to that. | Our office is located in Oslo, near the harbour.

# other languages
- Rauchen ist erlaubt. | Rauchen ist hier nicht erlaubt.
+ Rauchen ist verboten. | Man darf hier nicht rauchen.
- Man muss sich anmelden. | Man muss sich nicht anmelden.
+ Eine Anmeldung ist nicht erforderlich. | Eine Anmeldung ist nicht nötig.
- Alle dürfen eintreten. | Nur Mitglieder dürfen eintreten.
+ Die Frist beträgt drei Monate. | Die Frist beträgt 3 Monate.
- Die Frist beträgt mindestens drei Monate. | Die Frist beträgt höchstens drei Monate.
+ Der Preis beträgt 1.200 Euro. | Der Preis beträgt 1200 Euro.
- Der Preis beträgt 1,2 Euro. | Der Preis beträgt 1.200 Euro.
- Il est permis de fumer. | Il n'est pas permis de fumer.
+ Il est interdit de fumer. | Il n'est pas permis de fumer.
- Le délai est d'au moins deux mois. | Le délai est d'au plus deux mois.
+ Le délai est de 2 mois. | Le délai est de deux mois.
- Se puede fumar en la sala. | No se puede fumar en la sala.
+ Está prohibido fumar en la sala. | No se puede fumar en la sala.
- El pago es obligatorio. | El pago es opcional.
- Il pagamento è obbligatorio. | Il pagamento non è obbligatorio.
- O pagamento é permitido. | O pagamento não é permitido.
- De betaling is verplicht. | De betaling is niet verplicht.
- Курение разрешено. | Курение не разрешено.
+ Срок составляет 3 месяца. | Срок составляет 3 месяца.
+ L'été dure 3 mois. | L\u2019e\u0301te\u0301 dure 3 mois.
"""

ROWS = []
for line in TABLE.strip().splitlines():
    if line and not line.startswith("#"):
        cells = line[2:].replace("\\u00a0", "\u00a0").replace("\\u202f", "\u202f")
        ROWS.append((line[0] == "+", *cells.split(" | ")))

HEADER = "| Part | Width | Depth | Heated |"
B2 = "| B2 | 30 mm | 70 mm | no |"


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[1][:40]} / {row[2][:40]}" for row in ROWS])
def test_a_statement_is_supported_only_where_its_source_says_the_same(row: tuple[str, ...]) -> None:
    supported, statement, source, *rest = row
    judged = judge(statement, rest[0] if rest else "", [Source(source)])
    assert (judged.label == "supported") == supported, judged


@pytest.mark.parametrize(
    ("supported", "statement", "question"),
    [
        (True, "30 mm", "What is the width of B2?"),
        (False, "70 mm", "What is the width of B2?"),
        (True, "The depth of B2 is 70 mm.", ""),
        (False, "The depth of B3 is 70 mm.", ""),
        (False, "B2 is heated.", ""),
        (True, "B2 is not heated.", ""),
        (True, "No", "Is B2 heated?"),
    ],
)
def test_a_cell_belongs_to_its_row_and_its_header(
    supported: bool, statement: str, question: str
) -> None:
    assert (judge(statement, question, [Source(B2, HEADER)]).label == "supported") == supported


def test_what_a_list_hangs_on_decides_what_its_items_mean() -> None:
    item = Source("- seals and gaskets", "The warranty does not cover:")
    assert judge("The warranty does not cover gaskets.", "", [item]).label == "supported"
    assert judge("The warranty covers gaskets.", "", [item]).label == "contradicted"


def test_two_sources_together_support_what_neither_says_alone() -> None:
    sources = [Source("The fee is 40 euros."), Source("Parking is free."), Source("Dogs stay out.")]
    judged = judge("The fee is 40 euros and dogs stay out.", "", sources)
    assert judged == Judgement("supported", (0, 2))


def test_a_pronoun_takes_its_noun_from_the_sentence_before() -> None:
    sources = [Source("The Reedling X has two channels."), Source("It weighs 350 g.")]
    assert judge("The Reedling X weighs 350 g.", "", sources) == Judgement("supported", (0, 1))


def test_a_short_answer_is_not_taken_from_a_source_about_something_else() -> None:
    question = "How many weeks of leave does the parent who gives birth get?"
    sources = [
        Source("The parent who gives birth gets 22 weeks of leave."),
        Source("The other parent gets 8 weeks of leave."),
    ]
    assert judge("22 weeks.", question, sources) == Judgement("supported", (0,))
    assert judge("8 weeks.", question, sources).label != "supported"


def test_an_opposite_is_a_contradiction_and_another_subject_is_not() -> None:
    sources = [Source("Dogs are not allowed in the hall.")]
    assert judge("Dogs are allowed in the hall.", "", sources) == Judgement("contradicted", (0,))
    assert judge("Lunch is served at noon.", "", sources) == Judgement("unsupported", ())


def test_an_empty_statement_and_no_sources_are_unsupported() -> None:
    assert judge("", "What?", [Source("Something.")]).label == "unsupported"
    assert judge("Something.", "What?", []).label == "unsupported"


def test_an_answer_that_repeats_the_question_has_no_support() -> None:
    sources = [Source("Parental leave is 26 weeks at full pay.")]
    assert judge("Parental leave.", "How long is parental leave?", sources).label == "unsupported"


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60), st.text(max_size=40), st.text(max_size=60), st.text(max_size=20))
def test_no_text_is_too_strange_to_be_judged(
    statement: str, question: str, source: str, lead: str
) -> None:
    judge(statement, question, [Source(source, lead), Source(statement, lead)])


NAMED = [
    # answer, question, the source that the model named
    ("QC-77120.", "Contract no. of our travel insurance?", Source("Tell them the contract number QC-77120.")),
    ("125 euros.", "What's the nightly hotel cap in Grevenburg?", Source("| Grevenburg | 125 |", "| Place | Hotel per night |")),
]  # fmt: skip
NOT_NAMED = [
    ("25 litres.", "How much oil goes in?", Source("2,5 litres of oil go into the drum.")),
    ("5 °C.", "How low did it get?", Source("The low was -5 °C.")),
    ("6 euros.", "What does the adult ticket cost?", Source("The adult ticket costs 9 euros, the child ticket 6 euros.")),
    ("the seal kit", "What does the warranty cover?", Source("The warranty does not cover the seal kit.")),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "question", "source"), NAMED)
def test_a_short_answer_is_supported_by_the_source_that_the_model_named(
    answer: str, question: str, source: Source
) -> None:
    other = Source("A price of 99 euros applies elsewhere.")
    assert judge(answer, question, [source, other], named=1) == Judgement("supported", (0,))


@pytest.mark.parametrize(("answer", "question", "source"), NOT_NAMED)
def test_a_named_source_that_says_something_else_supports_nothing(
    answer: str, question: str, source: Source
) -> None:
    assert judge(answer, question, [source], named=1).label != "supported"
