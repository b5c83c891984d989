"""Words of German and English by which a number, a time, a person or a place is known. Lower case."""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SMALL_NUMBERS: Final = _words(
    """
    one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty hundred
    thousand million billion half zwei drei vier fünf sechs sieben acht neun zehn elf zwölf fünfzehn zwanzig dreißig
    vierzig fünfzig sechzig hundert tausend millionen milliarden hälfte
    """
)
SOME: Final = SMALL_NUMBERS | _words(
    "a an several few couple ein eine einem einen einer eines eineinhalb anderthalb einige einigen mehrere mehreren"
)
TIME_UNITS: Final = _words(
    """
    second seconds minute minutes hour hours day days night nights week weeks weekend weekends month months quarter
    quarters year years decade decades century centuries sekunde sekunden minute minuten stunde stunden tag tage tagen
    tages nacht nächte nächten woche wochen wochenende wochenenden monat monate monaten monats quartal quartale
    quartalen jahr jahre jahren jahres jahrzehnt jahrzehnte jahrzehnten jahrhundert jahrhunderte jahrhunderten werktag
    werktage werktagen arbeitstag arbeitstage arbeitstagen schicht schichten shift shifts working std min sek
    """
)
OTHER_UNITS: Final = _words(
    """
    metre metres meter meters metern kilometre kilometres kilometer kilometers kilometern centimetre centimetres
    centimeter centimeters zentimeter zentimetern millimetre millimetres millimeter millimeters foot feet inch inches
    mile miles meilen yard yards knot knots knoten gram grams gramm kilogram kilograms kilogramm kilo kilos tonne
    tonnes tonnen ton tons pound pounds pfund litre litres liter liters litern barrel barrels degree degrees grad
    percent prozent prozentpunkte bar volt watt kilowatt megawatt hertz km cm mm m kg t l kw mw c f kn mph ms s h
    characters character letters zeichen buchstaben stellen pages seiten square cubic acres hectares hektar
    quadratmeter quadratmetern quadratkilometer kubikmeter kubikmetern
    """
)
MONEY: Final = _words(
    "euro euros cent cents dollar dollars pound pounds pfund franken eur usd gbp chf mark kronen yen million millionen"
)
OFTEN: Final = _words(
    """
    once twice thrice daily weekly monthly quarterly yearly annually hourly nightly biweekly täglich wöchentlich
    monatlich jährlich halbjährlich vierteljährlich stündlich nächtlich zweiwöchentlich zweimonatlich einmal zweimal
    dreimal viermal fünfmal mehrmals laufend ständig never nie always immer
    """
)
EACH: Final = _words("every each alle aller jede jeden jedem jeder jedes")
TIMES: Final = _words("times time mal")
BEFORE_COUNTS: Final = _words(
    "ab bis um nach vor mit über unter von für etwa rund nur je pro circa mindestens höchstens"
)
DAYS: Final = _words(
    """
    monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays
    sundays montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag montags dienstags mittwochs
    donnerstags freitags samstags sonntags
    """
)
CLOCK: Final = _words("uhr o'clock o’clock clock am pm a.m p.m")
NAMED_TIMES: Final = _words(
    """
    morning mornings noon midday afternoon evening midnight today tomorrow yesterday tonight spring summer autumn winter
    easter christmas morgen vormittag mittag nachmittag abend mitternacht heute gestern übermorgen frühling frühjahr
    sommer herbst ostern pfingsten weihnachten morgens mittags abends nachts vormittags nachmittags
    """
)
WITHIN: Final = _words(
    "within after before until till during since nach vor innerhalb binnen bis während seit spätestens later ago"
)
PLACED: Final = _words(
    """
    in im at am on an auf bei beim neben near to nach zum zur zu from aus vom unter under below above über behind
    hinter between zwischen beside inside outside into onto within innerhalb außerhalb opposite gegenüber
    """
)
TITLES: Final = _words(
    "mr mrs ms dr prof sir lady lord king queen herr herrn frau doktor professor könig königin"
)
ROLE: Final = re.compile(
    r".*(?:team|lead|leader|officer|manager|director|head|desk|office|department|owner|staff|crew|guard|board|council|"
    r"engineer|technician|captain|master|mentor|supervisor|leitung|leiter|leiterin|leitern|dienst|desk|abteilung|amt|"
    r"meister|meisterin|führer|führerin|beauftragte[rn]?|wache|rat|stab|stelle|zentrale|warte|kraft|kräfte|leute|"
    r"personal|mannschaft|team|ingenieurin|ingenieur|techniker|technikerin|kapitän|arzt|ärztin|vorstand|verwaltung|"
    r"einkauf|buchhaltung|person)",
    re.IGNORECASE,
)
ABOUT: Final = _words(
    """
    about around approximately at least most up to over under more less than nearly almost roughly only maximum minimum
    etwa rund circa ca ungefähr mindestens höchstens maximal minimal bis zu über unter mehr weniger als fast knapp nur
    genau exactly within innerhalb von binnen the den die das der vor nach after before per pro je
    """
)
