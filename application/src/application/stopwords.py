"""Stop words by language: they carry no meaning, and they tell which language a text is in.

A new language is one entry here, and one in `STEMMERS` of `language.py`.
"""

STOPWORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
            a about after all also an and any are as at be because been before being both but by
            can could did do does doing down during each few for from further get give given had
            has have having he her here hers him his how i if in into is it its itself just like
            long many may me might more most much must my need no nor not now of off often on once
            one only or other our ours out over own per please same say says shall she should so
            some such take tell than that the their them then there these they this those through
            to too under until up use used using very was we were what when where which while who
            whom whose why will with within would you your yours
            """,
        "de": """
            ab aber alle allem allen aller alles als am an auch auf aus bei beim bin bis bist da
            damit dann das dass dem den denn der des dessen dich die dies diese diesem diesen
            dieser dieses dir doch dort du durch ein eine einem einen einer eines er es euch euer
            für gegen gibt habe haben hat hatte hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer
            im in ins ist ja jede jedem jeden jeder jedes kann kein keine keinem keinen keiner
            können könnte lang lange man mein meine mich mir mit muss müssen nach nicht noch nur ob
            oder ohne sein seine seinem seinen seiner seit sich sie sind so soll sollen sollte
            sowie über um und uns unser unsere unter viel viele vom von vor war waren warum was
            wann welche welchem welchen welcher welches wenn wer werde werden wie wird wir wo
            wurde wurden zu zum zur zwischen darf dürfen
            """,
        "fr": """
            à ai au aucun aucune aussi aux avant avec avez avoir ce cela ces cet cette chez comme
            combien comment dans de des doit doivent donc dont du elle elles en entre es est et
            été être eux fait il ils j je jusqu l la le les leur leurs lors lui ma mais me mes moi
            mon même n ne nos notre nous on ont ou où par pas peut peuvent plus pour pourquoi
            quand que quel quelle quelles quels qui quoi s sa sans sauf se sera ses si son sont
            sous sur ta te tes toi ton tous tout toute toutes tu un une vos votre vous y d c
            """,
        "es": """
            a al algo ante antes aunque cada como con cual cuando cuándo cuánto cuánta cuántos
            cuántas cómo de debe deben del desde donde dónde durante e el él ella ellas ellos en
            entre era es esa ese eso esta está estas este esto estos están fue ha han hasta hay la
            las le les lo los más me mi mientras muy nada ni no nos nosotros o otra otro para pero
            por porque puede pueden pues que qué quien quién se sea según ser si sí sin sobre solo
            son su sus también tiene tienen todo todos tras tu un una uno unos usted y ya
            """,
        "it": """
            a ad ai al alla alle allo anche anzi c che chi ci come con cosa cui da dai dal dalla
            dalle deve devono dei del dell della delle dello di dopo dove è ed e essere fino fra
            gli ha hanno i il in io l la le lei lo loro lui ma mi mia mio nei nel nella nelle noi
            non o ogni per perché più può possono prima qual quale quali quando quanti quanto
            questa queste questi questo qui se sei senza si sia sono sopra su sua sue sul sulla
            suo tra tutti tutto un una uno vi voi
            """,
        "pt": """
            a à ao aos após as às até cada com como da das de deve devem do dos e é ela elas ele
            eles em entre era essa esse esta está este eu foi há isso isto já lhe mais mas me
            mesmo meu minha muito na nas não nem no nos nós o onde os ou para pela pelas pelo
            pelos por porque pode podem qual quais quando quanto quantos que quem se sem ser seu
            seus só são sua suas também te tem têm todo todos um uma você vocês
            """,
        "nl": """
            aan al alle als bij dan dat de deze die dit doen door dus een en er geen haar heb
            hebben heeft het hem hier hij hoe hoeveel hun ik in is ja je kan kunnen maar me meer
            met mijn moet moeten mag mogen na naar niet niets nog nu of om omdat ons onze ook op
            over te tegen ten ter toch toen tot u uit uw van veel voor waar waarom wanneer was wat
            we welke wel werd wie wij worden wordt zal ze zich zij zijn zo zonder zou zullen
            """,
    }.items()
}
