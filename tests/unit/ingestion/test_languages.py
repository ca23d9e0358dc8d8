"""One sentence per source on documents in a language that the embedder does not know (B18)."""

from typing import Any

import pytest

from ingestion.documents.languages import DOCUMENTS, Languages, prose

TEXTS = {
    "de": (
        "Der Antrag auf Urlaub ist schriftlich bei der Personalabteilung einzureichen. Wer mehr "
        "als drei Tage krank ist, legt eine Bescheinigung des Arztes vor. Überstunden werden am "
        "Ende des Monats ausgezahlt oder durch freie Tage ausgeglichen."
    ),
    "fr": (
        "La demande de congé doit être adressée par écrit au service du personnel. Toute absence "
        "de plus de trois jours est justifiée par un certificat médical. Les heures "
        "supplémentaires sont payées à la fin du mois ou compensées par des jours de repos."
    ),
    "es": (
        "La solicitud de vacaciones se presenta por escrito al departamento de personal. Quien "
        "esté enfermo más de tres días debe entregar un certificado médico. Las horas "
        "extraordinarias se pagan a fin de mes o se compensan con días libres."
    ),
    "it": (
        "La richiesta di ferie va presentata per iscritto all'ufficio del personale. Chi è "
        "malato per più di tre giorni consegna un certificato medico. Gli straordinari vengono "
        "pagati alla fine del mese oppure compensati con giorni liberi."
    ),
    "pt": (
        "O pedido de férias deve ser entregue por escrito ao serviço de pessoal. Quem estiver "
        "doente mais de três dias entrega um atestado médico. As horas extraordinárias são pagas "
        "no fim do mês ou compensadas com dias de folga. Não é possível acumular férias de dois "
        "anos."
    ),
    "pl": (
        "Wniosek o urlop należy złożyć na piśmie w dziale kadr. Kto choruje dłużej niż trzy dni, "
        "przedkłada zaświadczenie lekarskie. Nadgodziny są wypłacane na koniec miesiąca albo "
        "odbierane w postaci dni wolnych."
    ),
    "ru": (
        "Заявление на отпуск подаётся в письменной форме в отдел кадров. Кто болеет дольше трёх "
        "дней, предоставляет справку от врача. Сверхурочные часы оплачиваются в конце месяца или "
        "компенсируются выходными днями."
    ),
    "zh": (
        "请假申请须以书面形式提交给人事部门。病假超过三天的员工应当提供医生证明。加班费在月底支付"
        ",也可以用调休的方式补偿。员工每年享有二十五天的带薪年假,未使用的假期可以保留到次年三月底"
        "。"
    ),
    "ja": (
        "休暇の申請は書面で人事部に提出してください。三日以上病気で休む場合は、医師の診断書が必要"
        "です。残業代は月末に支払われるか、代休で補われます。使わなかった休暇は翌年の三月末まで取"
        "ることができます。"
    ),
    "ar": (
        "يقدم طلب الإجازة كتابة إلى قسم شؤون الموظفين. ومن يمرض أكثر من ثلاثة أيام يقدم شهادة "
        "طبية. وتدفع الساعات الإضافية في نهاية الشهر أو تعوض بأيام راحة."
    ),
    "en": (
        "Requests for leave are made in writing to the personnel department. Whoever is ill for "
        "more than three days hands in a doctor's certificate. Overtime is paid at the end of "
        "the month or made up for by days off."
    ),
}
FOREIGN = sorted(TEXTS.keys() - {"en"})
CODE = """
```python
def first(items: list[str]) -> str:
    return items[0]  # the first of them, whatever it is
```
"""
TABLE = """
| Code | Room | Opened | Size |
| --- | --- | --- | --- |
| ZRH-1 | Basel | 2024-03-01 | 17.5 |
| GVA-2 | Genève | 2025-11-30 | 9 |
| MUC-3 | München | 2026-01-15 | 120 |
"""


def knows(world: Any, monkeypatch: pytest.MonkeyPatch, *languages: str) -> None:
    """Let the embedder tell its languages."""
    manifest = world.embedder.manifest().model_copy(update={"languages": list(languages)})
    monkeypatch.setattr(world.embedder, "manifest", lambda: manifest)


def told(world: Any) -> list[str]:
    world.sync()
    return [note for note in world.notes if "does not know the language" in note]


@pytest.mark.parametrize("language", FOREIGN)
def test_a_language_that_the_embedder_does_not_know_is_told_once_for_the_source(
    world: Any, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    knows(world, monkeypatch, "en")
    for n in range(3):
        world.write(f"{n}.md", f"# {n}\n\n{TEXTS[language]}\n{TABLE}\n{CODE}")
    world.write("english.md", f"# Leave\n\n{TEXTS['en']}\n{TABLE}\n{CODE}")

    [note] = told(world)

    assert f"Of 4 whose language was judged: 3 in {language} (e.g. 0.md); it knows en." in note
    world.write("0.md", f"# 0\n\n{TEXTS[language]}\n\nThe end.")
    assert told(world) == []


@pytest.mark.parametrize("known", [["en", *FOREIGN], ["en", "zh-CN", *FOREIGN], []])
def test_nothing_is_told_where_the_embedder_knows_them_all_or_does_not_say(
    world: Any, monkeypatch: pytest.MonkeyPatch, known: list[str]
) -> None:
    knows(world, monkeypatch, *known)
    for language, text in TEXTS.items():
        world.write(f"{language}.md", text)
    assert told(world) == []


def test_short_documents_are_judged_together(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    knows(world, monkeypatch, "en")
    for language in ("de", "ru"):
        for n, sentence in enumerate(TEXTS[language].split(". ")):
            world.write(f"{language}{n}.md", sentence)
    [note] = told(world)
    assert "3 in de (e.g. de0.md), 3 in ru (e.g. ru0.md)" in note


def test_each_language_of_a_source_is_told_in_the_same_sentence() -> None:
    languages = Languages(["en"], "minilm")
    for language, text in TEXTS.items():
        languages.add(language, text)
    [note] = languages.unknown()
    assert all(f"1 in {language} (e.g. {language})" in note for language in FOREIGN)


WITHOUT_A_LANGUAGE = {
    "a few words": "Oui.\n\nBadge perdu",
    "numbers": "\n".join(f"{n};{n * 7};{n % 13}" for n in range(400)),
    "names in a table": "| Name | Town |\n| --- | --- |\n"
    + "| Müller, Jürgen | Überlingen |\n| García Ibáñez | Alcalá |\n" * 40,
    "codes": "SKU-4711 Größe XL\nSKU-4712 Größe M\n" * 60,
    "Python": "import os\n\nclass Zähler:\n    def wert(self, größe: int) -> int:\n"
    "        return self._wert + größe\n" * 20,
    "JavaScript": "const größe = (werte) => { return werte.map((wert) => wert.größe); };\n" * 40,
    "SQL": "SELECT umsatz, datum FROM rechnung WHERE kunde_id = 7 AND datum > '2026-01-01';\n" * 40,
    "JSON": '{"straße": "Hauptstraße 7", "ort": "Köln", "größe": [1, 2, 3]}\n' * 40,
    "code in fences": f"{TEXTS['en']}\n\n```\n{TEXTS['de'] * 9}\n```\n",
    "addresses": "https://example.org/der/antrag/auf/urlaub/und/die/arbeit max@firma.example\n"
    * 40,
    "an open fence": f"{TEXTS['en']}\n\n~~~ text\n{TEXTS['fr'] * 9}\n",
    "a quotation": f"{TEXTS['en']} He said: «Es ist nicht alles Gold, was glänzt.»",
    "a log": "2026-11-29T10:00:00Z INFO worker-3 took job 4711 in 17 ms\n" * 60,
    "capitals": "WARNING: DO NOT OPEN THIS DOOR WHILE THE MACHINE IS RUNNING. " * 9,
    "English": TEXTS["en"],
}


@pytest.mark.parametrize("kind", WITHOUT_A_LANGUAGE)
def test_what_is_no_text_in_another_language_gives_no_warning(kind: str) -> None:
    languages = Languages(["en"], "minilm")
    for n in range(12):
        languages.add(f"{n}", WITHOUT_A_LANGUAGE[kind])
    assert languages.unknown() == []


def test_one_slip_among_many_documents_is_not_told() -> None:
    languages = Languages(["en"], "minilm")
    for n in range(60):
        languages.add(f"{n}", TEXTS["en"])
    languages.add("slip", TEXTS["it"])
    assert languages.unknown() == []


def test_a_large_source_is_judged_by_a_sample_that_every_run_chooses_alike() -> None:
    notes = []
    for order in (1, -1):
        languages = Languages(["en"], "minilm")
        for n in range(DOCUMENTS * 2)[::order]:
            languages.add(f"{n}", TEXTS["de" if n % 2 else "en"])
        notes += languages.unknown()
    assert len(set(notes)) == 1
    assert f"Of {DOCUMENTS} whose" in notes[0]


def test_a_sample_is_taken_from_the_beginning_and_the_middle() -> None:
    sample = prose(TEXTS["en"] * 40 + TEXTS["ru"] * 400)
    assert "Requests for leave" in sample
    assert "справку от врача" in sample
    assert len(sample.encode()) <= 2001
