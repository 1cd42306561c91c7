"""Stop words by language.

Static lists: a limit on how common a term may be would count hidden documents too, and leak.
"""

_LISTS = {
    "en": """
        a about after all also am an and any are aren't as at be because been before being but by can can't cannot
        could couldn't did didn't do does doesn't doing don't for from had hadn't has hasn't have haven't having he
        he'd he'll he's her here here's hers him his how how's i i'd i'll i'm i've if in into is isn't it it'd it'll
        it's its itself just let's may me might more most must mustn't my no nor not of off on once only or other
        our ours out over own same shall shan't she she'd she'll she's should shouldn't so some such than that
        that's the their theirs them then there there's these they they'd they'll they're they've this those
        through to too under until up us very was wasn't we we'd we'll we're we've were weren't what what's when
        when's where where's which while who who's whom whose why why's will with won't would wouldn't you you'd
        you'll you're you've your yours
    """,
    "de": """
        aber alle allem allen aller alles als also am an ander andere anderen anderer anderes auch auf aus bei beim
        bin bis bist da damit dann das dass daß dasselbe dazu dein deine deinem deinen deiner dem den denn der deren
        des dessen die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines
        er es etwas euch euer eure für gegen gewesen hab habe haben hat hatte hatten hier hin hinter ich ihm ihn
        ihnen ihr ihre ihrem ihren ihrer im in indem ins ist ja jede jedem jeden jeder jedes jene jenem jenen jener
        jenes jetzt kann kein keine keinem keinen keiner können könnte man mein meine meinem meinen meiner mich mir
        mit muss musste müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner
        seit sich sie sind so solche soll sollen sollte sondern sonst über um und uns unser unsere unserem unseren
        unter viel vom von vor war waren warum was weg weil weiter welche welchem welchen welcher welches wenn wer
        werde werden werdet wie wieder will wir wird wirst wo wollen wollte wurde wurden würde würden zu zum zur
        zwar zwischen
    """,
    "fr": """
        ai aie aient ainsi après as au aucun aucune aussi autre autres aux avaient avais avait avant avec avez avons
        ayant car ce ceci cela celle celles celui ces cet cette ceux chaque chez combien comme comment dans de des
        depuis donc dont du elle elles en encore entre es est et étaient étais était étant été êtes être eu eux
        faire fait faut fut ici il ils je jusque la le les leur leurs lors lorsque lui ma mais me même mêmes mes moi
        moins mon ne ni non nos notre nous on ont ou où par parce pas peu peut peuvent plus pour pourquoi puis
        qu quand que quel quelle quelles quels qui quoi sa sans se sera seront ses si soi sois soit sommes son sont
        sous suis sur ta te tes toi ton tous tout toute toutes très tu un une va vers voici voilà vos votre vous y
    """,
    "es": """
        al algo algún alguna algunas alguno algunos ante antes aquel aquella aquellas aquello aquellos así aún aunque
        cada como cómo con contra cual cuál cuales cuáles cuando cuándo cuánto cuántos de del desde donde dónde dos
        el él ella ellas ellos en entre era eran eres es esa esas ese eso esos esta está estaba están estar estas
        este esto estos fue fueron fui ha haber había habían han has hasta hay he hemos la las le les lo los más me
        mi mí mis mientras mucho muchos muy nada ni no nos nosotros nuestra nuestras nuestro nuestros o os otra
        otras otro otros para pero poco por porque pues que qué quien quién quienes se sea sean según ser si sí sido
        siempre sin sobre sois solo sólo somos son soy su sus suya suyo también tan tanto te tener tiene tienen
        todas todo todos tras tu tú tus un una unas uno unos vosotros y ya yo
    """,
    "it": """
        abbiamo ad agli ai al alcuni alla alle allo allora altri altro anche ancora avere aveva avevano avete
        c'è che chi ci cioè coi col come con così cosa cui da dagli dai dal dalla dalle dallo degli dei del della
        delle dello di dopo dove dov'è due e è ed egli era erano essere esso fa fare fra già gli ha hai hanno ho i il
        in io la là le lei li lì lo loro lui ma me mi mia mie miei mio molto ne né negli nei nel nella nelle nello noi
        non nostra nostre nostri nostro o ogni oppure per perché però più poi prima qual quale quali quando quanto
        quella quelle quelli quello questa queste questi questo qui quindi sarà se sei senza si sia siamo siete solo
        sono sopra sotto stata stati stato su sua sue sugli sui sul sulla sulle sullo suo suoi te ti tra troppo tu
        tua tue tuo tuoi tutta tutte tutti tutto un una uno vi voi vostra vostro
    """,
    "nl": """
        aan al alle alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er
        ge geen geweest haar had hadden heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je jij jou
        jouw kan kon kunnen maar me meer men met mij mijn moet moeten na naar niet niets nog nu of om omdat onder ons
        onze ook op over reeds te tegen toch toen tot u uit uw van veel voor waar waarom wanneer want waren was wat we
        wel welke werd wezen wie wij wil worden wordt zal ze zelf zich zij zijn zo zonder zou zouden
    """,
    "pt": """
        a ao aos aquela aquelas aquele aqueles aquilo as até cada com como da das de dela delas dele deles depois do
        dos e é ela elas ele eles em entre era eram essa essas esse esses esta está estamos estão estas estava estavam
        este estes eu foi fomos for foram há isso isto já lhe lhes mais mas me mesmo meu meus minha minhas muito na
        não nas nem no nos nós nossa nossas nosso nossos num numa o onde os ou para pela pelas pelo pelos por porque
        qual quais quando quanto que quem são se seja sejam sem ser será seu seus só sob sobre sua suas também te tem
        têm temos tenho ter teu teus tinha tinham tu tua tuas tudo um uma umas uns você vocês
    """,
    "sv": """
        alla allt att av blev bli blir då de deras dess dessa det detta den denna där därför dig din dina ditt du efter
        ej eller en er era ert ett finns från för ha hade han hans har hennes henne här hon honom hur i icke ingen inom
        inte jag ju kan kunde man med mellan men mig min mina mitt mot mycket när någon något några ni nu och om oss på
        sådan sig sin sina sitt skall ska skulle så själv som till under upp ut utan vad vara varför varit var varje
        vart vår våra vårt vem vi vid vilka vilken vilket vill åt än är över
    """,
    "da": """
        af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din dine disse dog du efter
        eller en end er et for fordi fra få får ham han hans har have havde hende hendes her hos hun hvad hvem hver
        hvilke hvilken hvis hvor hvordan hvorfor hvornår i ikke ind ingen jeg jer kan kunne man mange med meget mellem
        men mig min mine mit mod må ned noget nogle nu når og også om op os over på selv sig sin sine sit skal skulle
        som sådan thi til ud under uden var ved vi vil ville vor være været
    """,
    "fi": """
        ei eivät eli emme en ennen että et ette hän häneen hänellä hänen hänet häntä he heidän heidät heillä heitä hyvin
        ilman ja jo joka jokin jolla jonka jos joten jotka jossa kaikki kanssa keitä ken kenen kuin kuinka kuka kun
        me meidän meillä meitä mihin mikä miksi millä milloin minä minua minulla minun missä mistä mitä mitkä mukaan
        mutta myös ne niiden niillä niin niissä niistä niitä noin nuo nyt ole olemme olen olet olette oli olisi olisivat
        olivat olla olleet ollut on ovat pitää se sekä sen siellä siinä siitä sillä sinä sinun sitä tai tämä tämän
        tässä tästä tätä te teidän teillä teitä tuo tuolla voi vai vaan vaikka vain
    """,
    "no": """
        alle at av bare begge ble blei bli blir da de deg den denne der dere deres det dette din disse ditt du då eller
        en enn er et ett etter for fordi fra før ha hadde han hans har henne hennes her hos hun hva hvem hver hvilke
        hvilken hvis hvor hvordan hvorfor i ikke ingen inn jeg kan kom kunne kva kvar man mange med meg meget mellom
        men mer min mine mitt mot må ned noe noen nå når og også om opp oss over på samme seg selv si sin sine sitt
        skal skulle slik som så til under ut uten var ved vi vil ville vår være vært å
    """,
}
STOP_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
