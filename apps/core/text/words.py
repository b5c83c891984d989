"""Word lists behind the sentence borders in German and English: abbreviations, months, opening words.

All lower case; abbreviations with their full stop.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Something always follows: never an end.
NEVER_ENDING: Final = _words(
    """
    z. z.b. d. d.h. m.e. u.e. v.a. s.o. s.u. i.d.r. bzw. ca. evtl. ggf. insb. insbes. vgl. sog. inkl. exkl.
    zzgl. abzgl. ungef. urspr. bspw. lt. rd. zit. e.g. i.e. cf. viz. vs. approx. esp. incl. excl. fa. tel.
    fax. dr. prof. mr. mrs. ms. messrs. hr. hrn. fr. frl. dipl.-ing. priv.-doz. hon. capt. sgt. supt.
    """
)

# End a sentence only where the next word is one that opens sentences.
SELDOM_ENDING: Final = _words(
    """
    usw. etc. usf. uvm. dgl. inc. ltd. co. corp. bros. jr. sr. chr. km. kg. cm. mm. qm. std. mio. mrd. tsd.
    stk. min. sek. sec. max. mind. gem. bes. allg. einschl. sen. jun. geb. gest. verh. verst. hrsg. hg. aufl.
    ausg. bde. jg. anm. lit. al. ff. f. ed. eds. est. dept. univ. gov. gen. sen. rep. col. maj. rev. pres.
    str. pl. bhf. hbf. st. mt. ft. mag. ing. sir. jan. feb. febr. mrz. apr. jul. aug. sept. sep. okt. oct.
    nov. dez. dec. lfd. bearb. übers. erw. verf. ebd. dt. lat. griech. franz. engl. ital. russ. amerik. brit.
    österr. schweiz. europ. ehem. ev. kath. jüd. röm. kgl. städt. staatl. wiss. techn. jur. med. phil. rer.
    nat. pol. oec. theol. habil. dipl. kfm. betr. vorm. nachm. gesch. abt. ref. verw. vors. stellv. red.
    """
)

# Go on only before a number ("Nr. 5", "Fig. 3"); else ordinary words that may end ("works of art.", "to
# do.").
BEFORE_NUMBERS: Final = _words(
    """
    nr. nrn. no. nos. art. abs. abschn. abb. tab. kap. ziff. rn. rz. s. p. pp. vol. bd. fig. figs. eq. eqs.
    ch. chap. para. paras. mo. di. mi. do. sa. so. mon. tue. tues. wed. thu. thurs. fri. sat. sun. seite. §
    pos. ver. vers. rev. ref. az.
    """
)

MONTHS: Final = _words(
    """
    januar jänner februar feber märz april mai juni juli august september oktober november dezember jan feb
    mär mrz apr jun jul aug sep sept okt nov dez january february march may june july october december oct dec
    """
)

# Words after which a number with a full stop is an ordinal: "am 3.", "die 2. Auflage", "seit dem 5. Jahr".
ORDINAL_COMPANIONS: Final = _words(
    """
    am vom zum beim im dem der des den die das ein eine einer eines einem einen jeder jede jedes jedem jeden
    ab bis seit unser unsere unserem unseren unserer ihr ihre ihrem ihren ihrer sein seine seinem seinen
    seiner mein dein zur und oder
    """
)

# Words that open a sentence far more often than they follow an abbreviation inside one.
SENTENCE_OPENERS: Final = _words(
    """
    der die das den dem ein eine einen einem er sie es wir ihr ich du man dies diese dieser dieses dabei
    dadurch dafür dagegen daher damit danach dann darauf daraus darin darüber darum davon dazu denn deshalb
    doch durch für gegen hier hierbei hierfür hierzu im in am an auf aus bei beim bis mit nach nachdem neben
    nicht noch nun nur ob obwohl ohne schließlich sein seine seit seitdem selbst sind so sobald sofern solche
    somit sonst sowohl trotz trotzdem über um und unter viele vom von vor während wann warum was weil weiter
    weitere weiterhin welche wenn wer werden wie wird wo wurde wurden zu zudem zuerst zum zunächst zur zwar
    zwischen alle allerdings als also außerdem bitte ebenso einige erst falls ferner jede jeder jedes jedoch
    kein keine können letztlich manche mehrere möchten müssen beide dort dessen deren ihre ist hat haben hatte
    the a he she it we they you i this that these those there here his her its our their on at by for from
    with without to of as if when while where who what which why how after before during since although though
    because but and or nor yet however moreover therefore thus then another any all both each every few many
    most some such no not one once only other please is are were do does did can could may might will would
    should must has have had let according
    """
)
