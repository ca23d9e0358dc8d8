"""The rows of `test_parsers.py`, by kind: a file's name, its bytes, what must appear, what must not.

"title:", "note:" and "stated:" look at the title, the notes and the date.
"""

from tests.fakes.documents import docx, paragraph
from tests.fakes.formats import (
    at,
    book,
    cells,
    grid,
    mail,
    notebook,
    one_cell,
    pages,
    run,
    slides,
    word,
    word_table,
    workbook,
)

Row = tuple[str, str | bytes, list[str], list[str]]

SPAN = "<table><tr><th>Grade<th>Role<th>Pay<tr><td rowspan=2>G7<td>Clerk<td>30,000"
LONG = "The rest of the page is long enough to be its content. " * 3
FRAME = "<tr><td>Lead<td>42,000</table>"

MERGED_CELLS: list[Row] = [
    ("a.html", SPAN + FRAME, ["| G7 | Clerk | 30,000 |", "| G7 | Lead | 42,000 |"], ["| Lead | 42,000 |  |"]),
    ("a.html", "<table><tr><th>A<th>B<th>C<tr><td colspan=2>x<td>y</table>", ["| x | x | y |"], ["| x |  |"]),
    ("a.html", "<table><tr><th>A<th>B<th>C<tr><td rowspan=2 colspan=2>x<td>1<tr><td>2</table>", ["| x | x | 1 |", "| x | x | 2 |"], []),
    ("a.html", "<table><tr><th>A<th>B<tr><td rowspan=0>x<td>1<tr><td>2<tr><td>3</table>", ["| x | 3 |"], []),
    ("a.html", "<table><tr><th>A<th>B<tr><td>1<td rowspan=9>x<tr><td>2</table>", ["| 2 | x |"], ["| x | x |"]),
    ("a.html", "<table><thead><tr><th rowspan=2>A<th>B</thead><tbody><tr><td>1<td>2</tbody></table>", ["| 1 | 2 |"], ["| A | 1 |"]),
    ("a.html", "<table><tr><th>A<th>B<tr><td colspan=99999999>x<tr><td>1<td>2</table>", ["| 1 | 2 |"], []),
    ("a.html", "<table><tr><th>Name<th>Of<tr><td>x<td><table><tr><td>in<td>ner<tr><td>a<td>b</table><tr><td>y<td>z</table>", ["| x | in, ner; a, b |", "| y | z |"], []),
    ("a.html", "<table role=presentation><tr><td><p>Left side</p><td><p>Right side</p></table>", ["Left side", "Right side"], ["|"]),
    ("a.html", "<table><tr><td><table><tr><th>A<th>B<tr><td>1<td>2</table></table>", ["| A | B |\n| --- | --- |\n| 1 | 2 |"], []),
    ("a.html", "<table><tr><th>A<th>B<tr><td>x|y<td><code>p|q</code></table>", [r"| x\|y | `p\|q` |"], []),
    ("a.html", "<table><caption>Rates</caption><tr><th>A<th>B<tr><td>1<td>2</table>", ["Rates\n\n| A | B |"], []),
    ("a.html", "<table><tr><th>A<th>B<tr><td><p>one</p><p>two</p><td><ul><li>x<li>y</ul></table>", ["| one two | * x * y |"], []),
    ("a.html", "<table><tr><th>A<th>B<tr><td>short<tr><td>1<td>2</table>", ["| short |  |"], []),
    ("a.docx", word_table(["Grade", "Role", "Pay"], [("G7", '<w:vMerge w:val="restart"/>'), "Clerk", "30,000"], [("", "<w:vMerge/>"), "Lead", "42,000"]), ["| G7 | Lead | 42,000 |"], ["| Lead | 42,000 |  |"]),
    ("a.docx", word_table(["A", "B", "C"], [("wide", '<w:gridSpan w:val="2"/>'), "1"]), ["| wide | wide | 1 |"], []),
    ("a.docx", word_table(["A", "B", "C"], [("big", '<w:gridSpan w:val="2"/><w:vMerge w:val="restart"/>'), "1"], [("", '<w:gridSpan w:val="2"/><w:vMerge/>'), "2"]), ["| big | big | 1 |", "| big | big | 2 |"], []),
    ("a.docx", word_table(["A", "B"], ["x", ("<w:tbl><w:tr><w:tc>" + paragraph("p") + "</w:tc><w:tc>" + paragraph("q") + "</w:tc></w:tr></w:tbl>" + paragraph("after"), "")], ["y", "z"]), ["p, q", "after", "| y | z |"], []),
    ("a.xlsx", workbook({"rows": [["Grade", "Role", "Pay"], ["G7", "Clerk", 3], [None, "Lead", 4]], "merged": ["A2:A3"]}), ["| G7 | Lead | 4 |"], ["|  | Lead | 4 |"]),
    ("a.xlsx", workbook({"rows": [["A", "B", "C"], ["x", None, "y"]], "merged": ["A2:B2"]}), ["| x | x | y |"], []),
    ("a.xlsx", workbook({"rows": [["Rates 2026"], ["A", "B"], [1, 2]], "merged": ["A1:B1"]}), ["Rates 2026\n\n| A | B |"], ["| Rates 2026"]),
    ("a.xlsx", workbook({"rows": [["A", "B", "C"], ["x", None, 1], [None, None, 2]], "merged": ["A2:B3"]}), ["| x | x | 1 |", "| x | x | 2 |"], []),
    ("a.pptx", slides({"title": "Pay", "table": [["Grade", "Role"], ["G7", "Clerk"], ["", "Lead"]], "merged": [((1, 0), (2, 0))]}), ["| G7 | Lead |"], ["|  | Lead |"]),
    ("a.epub", book(f"{SPAN.replace('<th>', '</th><th>', 0)}{FRAME}"), ["| G7 | Lead | 42,000 |"], []) if False else ("a.epub", book("<table><tr><th>A</th><th>B</th></tr><tr><td rowspan='2'>x</td><td>1</td></tr><tr><td>2</td></tr></table>"), ["| x | 2 |"], []),
    ("a.eml", mail("S", "", html=f"<html><body>{SPAN}{FRAME}</body></html>"), ["| G7 | Lead | 42,000 |"], []),
    ("a.rst", "+---+---+\n| A | B |\n+===+===+\n| x | 1 |\n+   +---+\n|   | 2 |\n+---+---+\n", ["| x | 1 |", "| x | 2 |"], []),
]  # fmt: skip

MARKS: list[Row] = [
    ("a.html", "<p>lasts 2 x 10<sup>6</sup> turns", ["2 x 10^6 turns"], ["106"]),
    ("a.html", "<p>Area 25 m<sup>2</sup>.", ["25 m²."], ["m2"]),
    ("a.html", "<p>See note<sup><a href='#n1'>1</a></sup>.", ["note [^1]."], ["note1"]),
    ("a.html", "<p>See note<a href='#n1'><sup>1</sup></a>.", ["note [^1]."], ["note1"]),
    ("a.html", "<p>It costs 1,200<sup>1</sup> euros", ["1,200^1 euros"], ["1,2001"]),
    ("a.html", "<p>It costs 1,200<sup><a href='#a'>1</a></sup> euros", ["1,200 [^1] euros"], ["1,2001"]),
    ("a.html", "<p>It costs 1,200<sup>[1]</sup> euros", ["1,200 [^1] euros"], ["1,2001"]),
    ("a.html", "<p>The 1<sup>st</sup> and 2<sup>nd</sup> of May", ["1st and 2nd"], ["1^st"]),
    ("a.html", "<p>Le 1<sup>er</sup> mai, la 2<sup>e</sup> fois", ["1er mai", "2e fois"], ["1^er"]),
    ("a.html", "<p>10<sup>-3</sup> and 10<sup>−6</sup>", ["10^-3", "10^−6"], ["10-3", "10−6"]),
    ("a.html", "<p>x<sup>2</sup> + y<sup>n+1</sup>", ["x²", "y^(n+1)"], ["x2", "yn+1"]),
    ("a.html", "<p>H<sub>2</sub>O and 101<sub>2</sub>", ["H2O", "101_2"], ["1012"]),
    ("a.html", "<p>x<sub>1</sub>2 apples", ["x_1 2"], ["x12"]),
    ("a.html", "<h2>Fees<sup>2</sup></h2><p>text", ["## Fees [^2]"], ["Fees2"]),
    ("a.html", "<table><tr><th>Fee<sup>a</sup><th>B<tr><td>30<sup>b</sup><td>10<sup>3</sup></table>", ["| Fee [^a] | B |", "| 30 [^b] | 10^3 |"], ["30b", "103", "Feea"]),
    ("a.html", "<p>Acme<sup>TM</sup> and 20<sup>°</sup>", ["Acme™", "20°"], ["AcmeTM"]),
    ("a.html", "<p>30 days<sup>*</sup> or 60 days<sup>†</sup>", ["days [^*]", "days [^†]"], []),
    ("a.html", "<p><b>10</b><sup>9</sup> parts", ["**10**^9"], ["**10**9"]),
    ("a.html", "<p>5<sup>1</sup>2", [], ["512"]),
    ("a.docx", word(run("2 x 10"), run("6", '<w:vertAlign w:val="superscript"/>'), run(" turns")), ["10^6 turns"], ["106"]),
    ("a.docx", word(run("25 m"), run("2", '<w:vertAlign w:val="superscript"/>')), ["25 m²"], ["m2"]),
    ("a.docx", word(run("H"), run("2", '<w:vertAlign w:val="subscript"/>'), run("O")), ["H2O"], []),
    ("a.docx", word_table(["A", "B"], ["x", (f"<w:p>{run('10')}{run('6', '<w:vertAlign w:val=' + chr(34) + 'superscript' + chr(34) + '/>')}</w:p>", "")]), ["| x | 10^6 |"], ["106"]),
    ("a.pptx", slides({"title": "T", "raised": ("It lasts 10", "6")}), ["10^6"], ["106"]),
    ("a.epub", book("<p>2 x 10<sup>6</sup></p>"), ["10^6"], ["106"]),
    ("a.rst", "2 x 10\\ :sup:`6` turns", ["10^6"], ["106"]),
    ("a.eml", mail("S", "", html="<p>10<sup>6</sup> turns"), ["10^6"], ["106"]),
]  # fmt: skip

FRONT_MATTER: list[Row] = [
    ("a.md", "---\n\nThe canteen closes at 14:00 on Fridays.\n\n---\n\nSecond part.", ["closes at 14:00", "Second part."], []),
    ("a.md", "---\n\nNote: the canteen is closed.\n\n---\n\nSecond part.", ["Note: the canteen is closed."], []),
    ("a.md", "---\nOnly a sentence.\n---\nBody.", ["Only a sentence.", "Body."], []),
    ("a.md", "---\n- a list\n- of two\n---\nBody.", ["a list", "Body."], []),
    ("a.md", "---\nOpening hours: 9 to 5\n---\nBody.", ["Opening hours: 9 to 5", "Body."], []),
    ("a.md", "---\ntitle: Leave: the rules\nupdated: 2026-03-01\n---\nBody.", ["title:Leave: the rules", "Body.", "note:not valid YAML", "stated:2026-03-01"], ["updated:"]),
    ("a.md", "---\ntitle: Leave\nowner: @ada\n---\nBody.", ["title:Leave", "Body."], ["owner"]),
    ("a.md", "---\ntitle: 'Bob\ntags: [a\n---\nBody.", ["title:Bob", "Body."], ["tags"]),
    ("a.md", "---\n---\nBody.", ["Body."], ["---"]),
    ("a.md", "---\n# a comment\n---\nBody.", ["Body."], ["comment"]),
    ("a.md", "\ufeff---\ntitle: Leave\n---\nBody.", ["title:Leave", "Body."], ["title: Leave", "\ufeff"]),
    ("a.md", "---\r\ntitle: Leave\r\n---\r\nBody.", ["title:Leave", "Body."], ["title: Leave"]),
    ("a.md", "--- \ntitle: Leave\n---  \nBody.", ["title:Leave"], ["title: Leave"]),
    ("a.md", "---\ntitle: Leave\n...\nBody.\n\n---\n\nEnd.", ["title:Leave", "Body.", "---", "End."], ["title: Leave"]),
    ("a.md", "---\ntitle: Leave\n---\nOne.\n\n---\n\nTwo.", ["One.\n\n---\n\nTwo."], []),
    ("a.md", "Intro.\n\n---\ntitle: no\n---\n\nEnd.", ["Intro.", "title: no", "End."], []),
    ("a.md", "---\ntitle: never closed\n\nBody.", ["title: never closed", "Body."], []),
    ("a.md", "----\n\nText between.\n\n----\n\nEnd.", ["Text between.", "End."], []),
    ("a.md", '+++\ntitle = "Leave"\ndate = 2026-03-01\n+++\nBody.', ["title:Leave", "Body.", "stated:2026-03-01"], ["+++"]),
    ("a.md", "+++\ntitle = Leave\n+++\nBody.", ["title:Leave", "note:not valid TOML"], ["+++"]),
    ("a.md", "---\ntitle: Moved\nredirect_to: /new\n---\n", ["title: Moved"], []),
    ("a.md", "---\nupdated: 2026-02-30\ntitle: Leave\n---\nBody.", ["title:Leave"], ["updated"]),
]  # fmt: skip

WORDS: list[Row] = [
    ("a.pdf", pages(at(50, 700, "parental leave of the employ-") + at(50, 686, "ee: see form HR-") + at(50, 672, "17")), ["employee: see form HR-17"], ["employ-", "\ufffe", "HR17"]),
    ("a.pdf", pages(at(50, 700, "made by Hewlett-") + at(50, 686, "Packard in 1999")), ["Hewlett-Packard"], ["HewlettPackard"]),
    ("a.pdf", pages(at(50, 700, "a long-term plan is a long-") + at(50, 686, "term plan")), ["is a long-term plan"], ["longterm"]),
    ("a.txt", "em\u00adploy\u200bee\u2060s of\ufeff Basel", ["employees of Basel"], ["\u00ad", "\u200b"]),
    ("a.txt", "employ\u00ad\nee rules", ["employee rules"], []),
    ("a.html", "<p>Kündi&shy;gungs&shy;frist und Zero&#8203;Width&zwnj;Word", ["Kündigungsfrist und ZeroWidthWord"], ["\u00ad", "\u200b", "\u200c"]),
    ("a.md", "The ﬁrst oﬃce ﬂoor", ["The first office floor"], ["ﬁ", "ﬃ"]),
    ("a.txt", "می\u200cخواهم 👩\u200d💻", ["می\u200cخواهم", "👩\u200d💻"], []),
    ("a.txt", "Ku\u0308ndigung", ["Kündigung"], []),
    ("a.txt", "right\u200e to\u202e left\U000e0041 tags", ["right to left tags"], ["\u202e"]),
    ("a.csv", "A,B\nem\u00adployee,oﬃce", ["| employee | office |"], []),
    ("a.docx", docx(paragraph("em\u00adployee oﬃce")), ["employee office"], []),
    ("a.docx", word(run("em"), "<w:r><w:softHyphen/></w:r>", run("ployee")), ["employee"], ["em ployee"]),
    ("a.json", '{"a": "em\\u00adployee"}', ["employee"], []),
    ("Ku\u0308ndigung.txt", "Drei Monate.", ["title:Kündigung"], []),
    ("Ku\u0308ndigung.csv", "A,B\n1,2", ["title:Kündigung"], []),
    ("Ku\u0308ndigung.xlsx", workbook({"rows": [["A", "B"]]}), ["title:Kündigung"], []),
    ("Ku\u0308ndigung.pdf", pages(at(50, 700, "Drei Monate.")), ["title:Kündigung"], []),
]  # fmt: skip

LABEL = at(50, 700, "Policy number:")
FORMS: list[Row] = [
    ("a.pdf", pages(LABEL + at(50, 650, "Signed by Ada"), fields={"typed": "150 695 300 715"}), ["Policy number: PN-4471\nSigned by Ada"], []),
    ("a.pdf", pages(at(80, 700, "I agree"), fields={"ticked": "60 695 75 712"}), ["[x] I agree"], []),
    ("a.pdf", pages(at(80, 700, "I agree"), fields={"open": "60 695 75 712"}), ["[ ] I agree"], ["[x]"]),
    ("a.pdf", pages(at(50, 700, "City:"), fields={"chosen": "100 695 300 715"}), ["City: Bern"], ["Basel"]),
    ("a.pdf", pages(at(50, 700, "Password:"), fields={"secret": "120 695 300 715"}), ["Password:"], ["hunter2"]),
    ("a.pdf", pages(at(50, 700, "Name:"), fields={"hidden": "120 695 300 715"}), ["Name:"], ["unseen"]),
    ("a.pdf", pages(at(50, 700, "City:"), fields={"unicode": "100 695 300 715"}), ["City: Zürich"], []),
    ("a.pdf", pages(at(50, 700, "Above") + at(50, 500, "Below"), fields={"typed": "50 600 200 620"}), ["Above\nPN-4471\nBelow"], []),
    ("a.pdf", pages(grid([40, 150, 320], [640, 670, 700]) + at(50, 680, "Policy") + at(50, 650, "City") + at(160, 650, "Bern"), fields={"typed": "155 675 300 695"}), ["| Policy | PN-4471 |"], []),
]  # fmt: skip

TEXT = at(
    50,
    700,
    "This page has a good deal of text, over ninety characters of it, so that it is no scan at all.",
)
BOX = "0.8 g 100 100 300 300 re f\n"
PICTURE = "q 600 0 0 780 0 0 cm /Im1 Do Q\n"
UNREAD: list[Row] = [
    ("a.pdf", pages(TEXT, BOX, BOX, PICTURE, BOX), ["note:not read: 2 to 5"], []),
    ("a.pdf", pages(TEXT, "", TEXT), [], ["note:not read"]),
    ("a.pdf", pages(TEXT, "1 g 0 0 612 792 re f\n"), [], ["note:not read"]),
    ("a.pdf", pages(TEXT, "50 700 m 500 700 l S\n"), [], ["note:not read"]),
    ("a.pdf", pages(TEXT, PICTURE + at(300, 20, "12")), ["note:not read: 2"], []),
    ("a.pdf", pages(TEXT, at(300, 400, "Part II")), ["Part II"], ["note:not read"]),
    ("a.pdf", pages(TEXT, PICTURE + at(50, 700, "The text below a scan by an OCR", "3 Tr")), ["an OCR"], ["note:not read"]),
]  # fmt: skip

SHOWN: list[Row] = [
    ("a.xlsx", one_cell(0.19, "0%"), ["| a | 19% |"], ["0.19"]),
    ("a.xlsx", one_cell(0.1234, "0.0%"), ["12.3%"], ["0.1234"]),
    ("a.xlsx", one_cell(7, "0000"), ["| 0007 |"], []),
    ("a.xlsx", one_cell(1234.5, '#,##0.00 "EUR"'), ["1,234.50 EUR"], []),
    ("a.xlsx", one_cell(1234567, "#,##0"), ["1,234,567"], []),
    ("a.xlsx", one_cell(99.9, '"$"#,##0.00'), ["$99.90"], []),
    ("a.xlsx", one_cell(1234.5, "[$€-407] #,##0.00"), ["€ 1,234.50"], []),
    ("a.xlsx", one_cell(1234.5, "#,##0.00 [$CHF]"), ["1,234.50 CHF"], []),
    ("a.xlsx", one_cell(-5, "0.00;(0.00)"), ["(5.00)"], ["-5"]),
    ("a.xlsx", one_cell(-5, '0.0;[Red]-0.0" m"'), ["-5.0 m"], []),
    ("a.xlsx", one_cell(0, '0;-0;"none"'), ["| none |"], []),
    ("a.xlsx", one_cell(0.5, "# ?/?"), ["| 1/2 |"], ["0.5"]),
    ("a.xlsx", one_cell(2.75, "# ?/?"), ["| 2 3/4 |"], []),
    ("a.xlsx", one_cell(1234567, '0.0,,"M"'), ["1.2M"], []),
    ("a.xlsx", one_cell(12345678, "0.00E+00"), ["1.23E+07"], []),
    ("a.xlsx", one_cell(5551234, "000-0000"), ["555-1234"], []),
    ("a.xlsx", one_cell(46082, "yyyy-mm-dd"), ["2026-03-01"], ["46082"]),
    ("a.xlsx", one_cell(46082, "dd.mm.yyyy"), ["2026-03-01"], ["46082"]),
    ("a.xlsx", one_cell(46082.395833333, "dd.mm.yyyy hh:mm"), ["2026-03-01 09:30"], []),
    ("a.xlsx", one_cell(0.395833333, "hh:mm"), ["| 09:30 |"], []),
    ("a.xlsx", one_cell(1.0625, "[h]:mm"), ["25:30"], []),
    ("a.xlsx", one_cell(True, "General"), ["TRUE"], []),
    ("a.xlsx", one_cell(0.1 + 0.2, "General"), ["| 0.3 |"], []),
    ("a.xlsx", one_cell(2.5, '0.0" kg"'), ["2.5 kg"], []),
    ("a.xlsx", one_cell("42", "@"), ["| 42 |"], []),
    ("a.xlsx", workbook({"rows": [["Item", "Sum"], ["a", "=A1*2"]]}), ["not calculated: =A1*2"], ["| a |  |"]),
    ("a.xlsx", one_cell("#DIV/0!", "General"), ["#DIV/0!"], []),
]  # fmt: skip

HIDDEN_SHEETS: list[Row] = [
    ("a.xlsx", workbook({"name": "Prices", "rows": [["A", "B"]]}, {"name": "Salaries", "rows": [["Ada", 9000]], "state": "hidden"}), ["## Prices", "note:1 hidden sheets"], ["Salaries", "9000"]),
    ("a.xlsx", workbook({"name": "Prices", "rows": [["A", "B"]]}, {"name": "Salaries", "rows": [["Ada", 9000]], "state": "veryHidden"}), ["note:1 hidden sheets"], ["Ada"]),
    ("a.xlsx", workbook({"rows": [["A", "B"], ["seen", 1], ["secret", 2], ["end", 3]], "hidden_rows": [3]}), ["| seen | 1 |\n| end | 3 |", "note:1 hidden rows"], ["secret"]),
    ("a.xlsx", workbook({"rows": [["A", "B", "C"], ["seen", "secret", 1]], "hidden_columns": ["B"]}), ["| seen | 1 |", "note:1 hidden columns"], ["secret"]),
    ("a.pptx", slides({"title": "Shown"}, {"title": "Draft", "text": "secret", "hidden": True}), ["## Shown", "note:hidden slides"], ["secret", "Draft"]),
]  # fmt: skip

ARTICLES: list[Row] = [
    ("a.html", f"<body><header><h1>Rules</h1></header><article><h2>Parking</h2>4 euros</article><article><h2>Canteen</h2>{LONG}</article></body>", ["title:Rules", "# Rules", "4 euros", "Canteen"], []),
    ("a.html", f"<body><h1>Rules</h1><div><article>{LONG}</article></div><footer>Imprint</footer></body>", ["# Rules"], ["Imprint"]),
    ("a.html", f"<body><h1>Rules</h1><main>{LONG}</main><section>Annex A</section></body>", ["# Rules", "Annex A"], []),
    ("a.html", f"<body><main>{LONG}</main><main>Second main</main></body>", ["Second main"], []),
    ("a.html", f"<body><main><article>First</article><article>{LONG}</article></main><aside>Adverts</aside></body>", ["First"], ["Adverts"]),
    ("a.html", f"<body><article>Outer {LONG}<article>Inner comment</article></article></body>", ["Inner comment"], []),
    ("a.html", "<body><article>Short</article><p>The long rest of the page</p></body>", ["The long rest"], []),
    ("a.html", f"<body><div role=banner>Logo</div><div id=content><h1>T</h1>{LONG}</div><nav>Home</nav></body>", ["# T"], ["Logo", "Home"]),
    ("a.html", f"<body><article>{LONG}</article><section>Contacts</section></body>", ["Contacts"], []),
]  # fmt: skip

UNSEEN: list[Row] = [
    ("a.html", "<p style='display:none'>Answer 12 weeks.</p><p>Seen.", ["Seen.", "note:hidden parts left out: 1"], ["12 weeks"]),
    ("a.html", "<p style='DISPLAY : none !important'>secret</p><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p style='visibility:hidden'>secret</p><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p hidden>secret</p><div hidden='hidden'>secret</div><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p hidden='until-found'>Found later</p>", ["Found later"], []),
    ("a.html", "<template>secret</template><!-- secret --><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p style='color:#fff'>secret</p><p style='color: white; background:#fff'>secret</p><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p style='color:#fff;background:#036'>Button</p>", ["Button"], []),
    ("a.html", "<div style='background:navy'><p style='color:white'>Button</p></div>", ["Button"], []),
    ("a.html", "<p style='position:absolute;left:-9999px'>secret</p><p>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<p style='font-size:0'>secret</p><p style='opacity:0'>secret</p><p style='opacity:0.8'>Seen.", ["Seen."], ["secret"]),
    ("a.html", "<head><style>.x{display:none} .tab{display:none} .tab.on{display:block}</style></head><p class=x>secret</p><p class=tab>Tab</p>", ["Tab"], ["secret"]),
    ("a.html", "<style>@media print {.x{display:none}}</style><p class=x>Seen.", ["Seen."], []),
    ("a.html", "<details><summary>More</summary>Inside the details.</details>", ["More", "Inside the details."], []),
    ("a.html", "<p aria-hidden=true>Star</p><p style='display:block'>Seen.", ["Star", "Seen."], []),
    ("a.md", "Seen.\n\n<!-- internal: fee is 900 -->\n\nEnd.", ["Seen.", "End."], ["900"]),
    ("a.md", "Seen <!-- fee\nis 900 --> here.", ["Seen  here."], ["900"]),
    ("a.md", "Seen.\n\n[//]: # (fee is 900)\n\nEnd.", ["Seen.", "End."], ["900"]),
    ("a.md", "`<!-- kept -->`\n\n```html\n<!-- kept too -->\n```", ["<!-- kept -->", "<!-- kept too -->"], []),
    ("a.md", '<div style="display:none">\nfee is 900\n</div>\n\nSeen.', ["Seen."], ["900"]),
    ("a.md", "<details>\n<summary>More</summary>\n\nInside.\n</details>", ["Inside."], []),
    ("a.md", "An arrow <!-- that never closes", ["never closes"], []),
    ("a.pdf", pages(at(50, 700, "Seen") + at(50, 600, "secret", "3 Tr")), ["Seen", "note:nobody sees"], ["secret"]),
    ("a.pdf", pages(at(50, 700, "Seen") + at(50, 600, "secret", "1 g")), ["Seen"], ["secret"]),
    ("a.pdf", pages("0 0 0.5 rg 40 590 300 30 re f\n" + at(50, 600, "Header", "1 g") + at(50, 700, "Seen", "0 g")), ["Header"], []),
    ("a.pdf", pages(at(50, 700, "Seen") + at(5000, 600, "secret")), ["Seen"], ["secret"]),
    ("a.pdf", pages(at(50, 700, "Seen") + at(50, 600, "secret", size=0.4)), ["Seen"], ["secret"]),
    ("a.docx", word(run("Seen "), run("secret", "<w:vanish/>"), run("end")), ["Seen end", "note:hidden or deleted"], ["secret"]),
    ("a.docx", word(run("Seen "), run("shown", '<w:vanish w:val="0"/>')), ["Seen shown"], []),
    ("a.docx", word(run("Seen "), "<w:del><w:r><w:delText>secret</w:delText></w:r></w:del>", "<w:ins>" + run("new") + "</w:ins>"), ["Seen new"], ["secret"]),
    ("a.docx", word("<w:moveFrom>" + run("old place") + "</w:moveFrom>", "<w:moveTo>" + run("new place") + "</w:moveTo>"), ["new place"], ["old place"]),
    ("a.docx", docx(paragraph("Seen") + '<w:p><w:pPr><w:pStyle w:val="Ghost"/></w:pPr>' + run("secret") + "</w:p>", {"word/styles.xml": '<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" w:styleId="Ghost"><w:name w:val="Ghost"/><w:rPr><w:vanish/></w:rPr></w:style></w:styles>'}), ["Seen"], ["secret"]),
    ("a.eml", mail("S", "", html="<p style='display:none'>secret</p><p>Seen."), ["Seen."], ["secret"]),
    ("a.epub", book("<p hidden='hidden'>secret</p><p>Seen.</p>"), ["Seen."], ["secret"]),
    ("a.rst", "Seen.\n\n.. secret comment\n\nEnd.", ["Seen.", "End."], ["secret"]),
    ("a.xml", "<a><!-- secret --><b>Seen.</b></a>", ["Seen."], ["secret"]),
    ("a.ipynb", notebook({"cell_type": "markdown", "source": ["Seen. <!-- secret -->"]}), ["Seen."], ["secret"]),
]  # fmt: skip

FRENCH = "Le règlement intérieur prévoit à Genève un délai de réflexion."
RUSSIAN, GREEK = "Отпуск длится двадцать восемь дней.", "Η άδεια διαρκεί είκοσι ημέρες."
JAPANESE, CHINESE = "休暇の申請は上司に提出してください。", "保修期为三十六个月。请保存发票。"
ENCODINGS: list[Row] = [
    ("a.txt", FRENCH.encode("cp1252"), [FRENCH], []),
    ("a.txt", FRENCH.encode("latin-1"), [FRENCH], []),
    ("a.txt", "Élèves".encode("cp1252"), ["Élèves"], []),
    ("a.txt", "Ça va".encode("cp1252"), ["Ça va"], []),
    ("a.txt", "fête".encode("cp1252"), ["fête"], []),
    ("a.txt", "It’s the “new” rule – pay £5.".encode("cp1252"), ["It’s the “new” rule – pay £5."], []),
    ("a.txt", "Zażółć gęślą jaźń w Łodzi".encode("cp1250"), ["Zażółć gęślą jaźń w Łodzi"], []),
    ("a.txt", "Příliš žluťoučký kůň".encode("cp1250"), ["Příliš žluťoučký kůň"], []),
    ("a.txt", RUSSIAN.encode("cp1251"), [RUSSIAN], []),
    ("a.txt", "Привет".encode("cp1251"), ["Привет"], []),
    ("a.txt", RUSSIAN.encode("koi8-r"), [RUSSIAN], []),
    ("a.txt", GREEK.encode("cp1253"), [GREEK], []),
    ("a.txt", JAPANESE.encode("shift-jis"), [JAPANESE], []),
    ("a.txt", JAPANESE.encode("euc-jp"), [JAPANESE], []),
    ("a.txt", JAPANESE.encode("iso-2022-jp"), [JAPANESE], []),
    ("a.txt", CHINESE.encode("gb18030"), [CHINESE], []),
    ("a.txt", "保固期為三十六個月，請保留發票。".encode("big5"), ["保固期為三十六個月，請保留發票。"], []),
    ("a.txt", "연차 휴가는 15일입니다".encode("cp949"), ["연차 휴가는 15일입니다"], []),
    ("a.txt", "Leave is 20 days".encode("utf-16"), ["Leave is 20 days"], []),
    ("a.txt", "Leave is 20 days".encode("utf-16-le"), ["Leave is 20 days"], ["\0"]),
    ("a.txt", "Leave is 20 days".encode("utf-16-be"), ["Leave is 20 days"], []),
    ("a.txt", RUSSIAN.encode("utf-16-le"), [RUSSIAN], []),
    ("a.txt", "Leave".encode("utf-32"), ["Leave"], []),
    ("a.html", b"<meta charset=iso-8859-2><p>" + "Łódź".encode("iso-8859-2"), ["Łódź"], []),
    ("a.html", b'<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>' + "Да".encode("cp1251"), ["Да"], []),
    ("a.html", b"<meta charset=iso-8859-1><p>" + "Überstunden".encode(), ["Überstunden"], []),
    ("a.html", b"<meta charset=nonsense><p>" + FRENCH.encode("cp1252"), [FRENCH], []),
    ("a.xml", b"<?xml version='1.0' encoding='windows-1253'?><a>" + GREEK.encode("cp1253") + b"</a>", [GREEK], []),
    ("a.csv", "Prénom;Âge\nZoé;30".encode("cp1252"), ["| Prénom | Âge |", "| Zoé | 30 |"], []),
    ("a.tsv", "Имя\tГород\nАнна\tМосква".encode("cp1251"), ["| Анна | Москва |"], []),
    ("a.md", ("# Größe\n\nDie Größe des Büros.").encode("cp1252"), ["# Größe"], []),
    ("a.eml", b"From: a@b.c\nSubject: S\nContent-Type: text/plain; charset=windows-1251\nContent-Transfer-Encoding: 8bit\n\n" + RUSSIAN.encode("cp1251"), [RUSSIAN], []),
]  # fmt: skip

XS, TOP = [50, 200, 350], 700
CITIES = cells(
    XS,
    TOP,
    ["City", "Code", "Rate"],
    ["Basel", "BSL", "80"],
    ["Bern", "BRN", "9"],
    ["Chur", "CHR", "75"],
)
PAGE_TABLES: list[Row] = [
    ("a.pdf", pages(CITIES), ["| City | Code | Rate |\n| --- | --- | --- |\n| Basel | BSL | 80 |\n| Bern | BRN | 9 |"], []),
    ("a.pdf", pages(grid([40, 190, 340, 480], [635, 655, 675, 695, 715]) + CITIES), ["| Bern | BRN | 9 |"], []),
    ("a.pdf", pages(at(50, 740, "Rates by city") + CITIES + at(50, 600, "All of them per day.")), ["Rates by city\n\n| City", "| 75 |\n\nAll of them"], []),
    ("a.pdf", pages(grid([40, 190, 340], [655, 675, 695]) + cells([50, 200], 680, ["A", "B"], ["1", "2"])), ["| A | B |\n| --- | --- |\n| 1 | 2 |"], []),
    ("a.pdf", pages(grid([40, 190, 340], [695, 675]) + "40 655 m 40 675 l S 190 655 m 190 675 l S 340 655 m 340 675 l S 40 635 m 40 655 l S 190 635 m 190 655 l S 340 635 m 340 655 l S 190 655 m 340 655 l S 40 635 m 340 635 l S\n" + cells([50, 200], 680, ["Grade", "Role"], ["G7", "Clerk"], ["", "Lead"])), ["| G7 | Clerk |", "| G7 | Lead |"], []),
    ("a.pdf", pages(grid([40, 190, 340], [640, 675, 695]) + cells([50, 200], 680, ["A", "B"]) + at(50, 660, "two") + at(50, 648, "lines") + at(200, 660, "x")), ["| two lines | x |"], []),
    ("a.pdf", pages(CITIES.replace("1 0 0 1", "1 0 0 1"), CITIES), ["| Chur | CHR | 75 |"], []),
    ("a.pdf", pages(cells([50, 75], TOP, ["1.", "First point of a list"], ["2.", "Second point"], ["3.", "Third point"])), ["First point"], ["|"]),
    ("a.pdf", pages(cells([50, 330], TOP, *[["A column of prose that runs along the page", "beside another column of prose as long"]] * 4)), ["A column of prose"], ["|"]),
    ("a.pdf", pages(at(50, 700, "Plain prose on a line.") + at(50, 686, "Another line of it.")), ["Plain prose on a line.\nAnother line of it."], ["|"]),
    ("a.pdf", pages("40 600 300 150 re S\n" + at(50, 700, "Text in a frame.")), ["Text in a frame."], ["|"]),
    ("a.pdf", pages(cells([50, 200], TOP, ["Term", "Meaning"], ["POA&M", "Plan of action"], ["SSP", "System security"], ["", "plan of a system"], ["XML", "Markup"], feed=13)), ["| SSP | System security plan of a system |"], []),
]  # fmt: skip

NOTE = {"cell_type": "markdown", "source": ["# Rates\n", "\n", "By city."]}
CODE = {
    "cell_type": "code",
    "source": ["x = 1\n", "print(x)"],
    "outputs": [{"output_type": "stream", "text": ["42\n"]}],
}
FIGURE = {
    "cell_type": "code",
    "source": "plot()",
    "outputs": [
        {"output_type": "display_data", "data": {"image/png": "iVBOR", "text/plain": ["<Figure>"]}}
    ],
}
FRAME_OUT = {
    "cell_type": "code",
    "source": "df",
    "outputs": [
        {
            "output_type": "execute_result",
            "data": {
                "text/html": "<table><tr><th>A<th>B<tr><td>1<td>2</table>",
                "text/plain": "A B",
            },
        }
    ],
}
NEW_FORMATS: list[Row] = [
    ("a.pptx", slides({"title": "Leave", "text": "Twenty days\nA year", "notes": "Say why."}), ["title:Leave", "## Leave", "Twenty days", "Notes: Say why."], []),
    ("a.pptx", slides({"text": "No title"}), ["## Slide 1", "No title"], []),
    ("a.pptx", slides({"title": "T", "table": [["City", "Rate"], ["Bern", "80"]]}), ["| City | Rate |\n| --- | --- |\n| Bern | 80 |"], []),
    ("a.eml", mail("Leave rules", "Twenty days."), ["title:Leave rules", "From: Ada <ada@example.com>", "Twenty days.", "stated:2026-03-02"], []),
    ("a.eml", mail("S", "Plain part.", html="<p>HTML part.</p>"), ["Plain part."], ["HTML part."]),
    ("a.eml", mail("S", "See notes.", notes_txt=b"The limit is 40 bar."), ["## Attachment: notes.txt", "The limit is 40 bar."], []),
    ("a.eml", mail("S", "See file.", rates_csv=b"A,B\n1,2"), ["## Attachment: rates.csv", "| 1 | 2 |"], []),
    ("a.eml", mail("S", "See file.", photo_jpg=b"\xff\xd8"), ["## Attachment: photo.jpg", "note:photo.jpg"], []),
    ("a.eml", b"Subject: =?utf-8?q?K=C3=BCndigung?=\nFrom: a@b.c\n\nDrei Monate.", ["title:Kündigung", "Drei Monate."], []),
    ("a.epub", book("<h1>Second</h1>", "<h1>First</h1><p>Text.</p>"), ["title:The Book", "# First\n\nText.\n\n# Second", "stated:2026-03-01"], []),
    ("a.epub", book("<p>See <a href='x.xhtml'>chapter</a> &#233;</p>"), ["See chapter é"], ["x.xhtml"]),
    ("a.ipynb", notebook(NOTE, CODE), ["title:Rates", "By city.", "```python\nx = 1\nprint(x)\n```", "```\n42\n```"], []),
    ("a.ipynb", notebook(FIGURE), ["plot()"], ["iVBOR"]),
    ("a.ipynb", notebook(FRAME_OUT), ["| A | B |\n| --- | --- |\n| 1 | 2 |"], []),
    ("a.json", '{"title": "Rates", "city": {"name": "Bern", "rate": 1.10}, "on": true, "off": null}', ["title:Rates", "city.name: Bern", "city.rate: 1.10", "on: true"], ["off", "None"]),
    ("a.json", '[{"city": "Bern", "rate": 80}, {"city": "Chur", "rate": 75, "note": "x"}]', ["| city | rate | note |", "| Bern | 80 |  |"], []),
    ("a.json", '{"tags": ["a", "b"], "rows": [{"x": {"y": 1}}, {"x": 2}]}', ["tags: a, b", "rows[1].x.y: 1", "rows[2].x: 2"], []),
    ("a.xml", "<doc><title>Rates</title><city code='BRN'>Bern</city></doc>", ["title:Rates", "city: Bern, code: BRN"], []),
    ("a.xml", "<r><e><city>Bern</city><rate>80</rate></e><e><city>Chur</city><rate>75</rate></e></r>", ["| city | rate |", "| Bern | 80 |"], []),
    ("a.xml", "<doc><p>See <b>the</b> rules.</p></doc>", ["See the rules."], []),
    ("a.rst", "Leave\n=====\n\nTwenty days.\n\nWhen\n----\n\n* in May\n", ["title:Leave", "# Leave", "## When", "in May"], []),
    ("a.rst", ".. include:: /etc/passwd\n\nText.", ["Text."], ["root:"]),
    ("a.rst", ".. unknown-directive:: x\n\nText with |subst| and :role:`word`.", ["Text with"], ["Traceback"]),
    ("a.tsv", "City\tRate\nBern\t80", ["| City | Rate |\n| --- | --- |\n| Bern | 80 |"], []),
    ("a.csv", "City;Rate\nBern;80,5\nBasel;81,5", ["| Bern | 80,5 |"], []),
    ("a.csv", 'a,b\n"x | y\nz",1', [r"| x \| y z | 1 |"], []),
    ("a.html", "<input type=checkbox checked> Agreed <input type=radio> Not", ["[x] Agreed", "[ ] Not"], []),
    ("a.xhtml", "<html xmlns='http://www.w3.org/1999/xhtml'><body><h1>T</h1></body></html>", ["# T"], []),
]  # fmt: skip

ROWS = [
    *MERGED_CELLS,
    *MARKS,
    *FRONT_MATTER,
    *WORDS,
    *FORMS,
    *UNREAD,
    *SHOWN,
    *HIDDEN_SHEETS,
    *ARTICLES,
    *UNSEEN,
    *ENCODINGS,
    *PAGE_TABLES,
    *NEW_FORMATS,
]
