"""Questions on sentences as colleagues and handbooks write them, with what may be marked as the exact answer.

Written by hand for this check; nothing is trained on it, and the probability from which a part is marked comes from
folds of the training. Each passage has parts of the wrong shape beside the right one; of a question without a right
part nothing may be marked.
"""

from __future__ import annotations

from typing import Final

OIL = (
    "Turm 7 steht seit Montag. Das Getriebeöl wird alle 18 Monate gewechselt, eine Füllung umfasst 600 Liter. Der "
    "Wechsel dauert sechs Stunden und braucht drei Leute. Frau Petersen leitet die Leitwarte in Emden seit 2019."
)
WINDOW = (
    "Wartungsfenster Turm 7: Donnerstag 6 bis 18 Uhr, wenn der Wind unter 12 m/s bleibt. Das Boot legt um 5:30 "
    "Uhr in Norddeich ab. Erik Dahl bringt den Kran mit, die Prüfung des Krans ist bis März gültig."
)
BEARING = (
    "Die Temperatur am Getriebelager 2 lag gestern bei 81 °C. Ab 85 °C wird die Anlage abgeschaltet. Die Sensoren "
    "melden ihren Wert alle zehn Sekunden. Aylin Demir hat drei neue Sensoren eingebaut, weil die alten zu spät "
    "meldeten."
)
TRAVEL = (
    "Bahnreisen werden in der zweiten Klasse gebucht, ab vier Stunden Fahrzeit in der ersten. Eine Übernachtung "
    "darf höchstens 130 Euro kosten, in Hamburg 160 Euro. Belege werden innerhalb von 14 Tagen eingereicht. Auf "
    "See gilt ein Zuschlag von 22 Euro je Tag."
)
SAFETY = (
    "Die Sicherheitsunterweisung findet am Freitag um 10 Uhr im Schulungsraum statt. Sie gilt für Gäste zwölf "
    "Monate. Eine Begleitperson darf höchstens fünf Gäste mitnehmen. Einen Unfall meldet man sofort der "
    "Leitwarte, Kanal 12."
)
ORDERS = (
    "Tomasz Wójcik hat 40 Fässer Getriebeöl bestellt, Bestellnummer 4711-26. Die Lieferung kommt am 8. Dezember "
    "nach Cuxhaven. Bestellungen über 5.000 Euro gibt Maren Thiessen frei. Das Angebot galt zwei Wochen."
)
SHIFT = (
    "Eine Schicht auf See dauert zwölf Stunden. Nach zwei Wochen auf See folgen drei Wochen frei. Die Übergabe "
    "ist um 6 Uhr in der Leitwarte. Der Rettungsanzug wird zweimal im Jahr geprüft."
)
CARD = (
    "Verlorene Zugangskarten sperrt die Leitwarte, Durchwahl 112. Neue Karten stellt das IT-Team in Raum 204 aus. "
    "Eine Karte kostet 15 Euro und gilt drei Jahre. Passwörter haben mindestens 14 Zeichen."
)
START = (
    "Your first day starts at 9 o'clock at the operations centre in Cuxhaven. The probation period is six months. "
    "Your mentor meets you every week during the first two months. Thirty days of vacation a year are yours."
)
ACCESS = (
    "Access cards are issued by the IT platform team in room 204. A lost card is reported within one hour to the "
    "control room, extension 112. The survival suit is checked every six months. The laptop locks itself after "
    "five minutes."
)
RULES = (
    "Berth 3 is reserved for reefers between 6 and 14 o'clock. Vessels longer than 140 metres use berth 5. One "
    "employee escorts up to five visitors. Dangerous goods are announced 48 hours before arrival, because the "
    "fire brigade plans ahead."
)
RELEASE = (
    "Release 2.4 of the control room software goes live on Thursday. Aylin Demir keeps the old dashboards until "
    "30 November. The crane lifts 12,500 kilograms and stops at a wind of 12 m/s. Erik Dahl inspects it twice a "
    "year in Esbjerg."
)
PRICES = (
    "Grace Okafor approved the new gate on 3 March 2025. It cost 18,400 euros and was built by two companies. "
    "Visitors report at the north gate. A visitor pass costs 5 euros and is valid for one day."
)

# question, passage, language, what may be marked: nothing where no part of a sentence alone is the answer
CASES: Final = (
    ("Wie oft wird das Getriebeöl gewechselt?", OIL, "de", ("alle 18 Monate", "18 Monate")),
    ("Wie viele Liter umfasst eine Füllung Getriebeöl?", OIL, "de", ("600", "600 Liter")),
    ("Wie lange dauert der Wechsel des Getriebeöls?", OIL, "de", ("sechs Stunden",)),
    ("Wie viele Leute braucht der Wechsel?", OIL, "de", ("drei", "drei Leute")),
    ("Wer leitet die Leitwarte?", OIL, "de", ("Frau Petersen", "Petersen")),
    ("Seit wann leitet Frau Petersen die Leitwarte?", OIL, "de", ("2019", "seit 2019")),
    ("Wo ist die Leitwarte, die Frau Petersen leitet?", OIL, "de", ("Emden", "in Emden")),
    ("Seit wann steht Turm 7?", OIL, "de", ("Montag", "seit Montag")),
    ("Wann legt das Boot ab?", WINDOW, "de", ("um 5:30 Uhr", "5:30 Uhr", "5:30")),
    ("Wo legt das Boot ab?", WINDOW, "de", ("Norddeich", "in Norddeich")),
    ("Wer bringt den Kran mit?", WINDOW, "de", ("Erik Dahl",)),
    ("Bis wann ist die Prüfung des Krans gültig?", WINDOW, "de", ("März", "bis März")),
    ("An welchem Tag ist das Wartungsfenster von Turm 7?", WINDOW, "de", ("Donnerstag",)),
    ("Bei welcher Temperatur wird die Anlage abgeschaltet?", BEARING, "de", ("85 °C", "Ab 85 °C")),
    ("Wie oft melden die Sensoren ihren Wert?", BEARING, "de", ("alle zehn Sekunden", "zehn Sekunden")),
    ("Wie viele Sensoren hat Aylin Demir eingebaut?", BEARING, "de", ("drei", "drei neue Sensoren", "drei neue")),
    ("Wer hat die Sensoren eingebaut?", BEARING, "de", ("Aylin Demir",)),
    ("Warum wurden neue Sensoren eingebaut?", BEARING, "de", ("weil die alten zu spät meldeten",)),
    ("Was darf eine Übernachtung in Hamburg kosten?", TRAVEL, "de", ("160 Euro", "in Hamburg 160 Euro")),
    ("Innerhalb welcher Frist werden Belege eingereicht?", TRAVEL, "de", ("14 Tagen", "innerhalb von 14 Tagen")),
    ("Welcher Zuschlag gilt auf See?", TRAVEL, "de", ("22 Euro", "22 Euro je Tag")),
    ("Ab wie vielen Stunden Fahrzeit gilt die erste Klasse?", TRAVEL, "de", ("vier", "vier Stunden",
     "ab vier Stunden",
     "vier Stunden Fahrzeit", "ab vier Stunden Fahrzeit")),
    ("Wann findet die Sicherheitsunterweisung statt?", SAFETY, "de", ("Freitag um 10 Uhr", "am Freitag um 10 Uhr",
     "Freitag", "um 10 Uhr", "10 Uhr", "am Freitag")),
    ("Wo findet die Sicherheitsunterweisung statt?", SAFETY, "de", ("Schulungsraum", "im Schulungsraum")),
    ("Wie lange gilt die Sicherheitsunterweisung für Gäste?", SAFETY, "de", ("zwölf Monate",)),
    ("Wie viele Gäste darf eine Begleitperson mitnehmen?", SAFETY, "de", ("fünf", "fünf Gäste", "höchstens fünf",
     "höchstens fünf Gäste")),
    ("Wem meldet man einen Unfall?", SAFETY, "de", ("Leitwarte", "der Leitwarte")),
    ("Wie meldet man einen Unfall?", SAFETY, "de", ()),
    ("Wie viele Fässer wurden bestellt?", ORDERS, "de", ("40", "40 Fässer", "40 Fässer Getriebeöl")),
    ("Wann kommt die Lieferung?", ORDERS, "de", ("8. Dezember", "am 8. Dezember")),
    ("Wohin kommt die Lieferung?", ORDERS, "de", ("Cuxhaven", "nach Cuxhaven")),
    ("Wer gibt Bestellungen über 5.000 Euro frei?", ORDERS, "de", ("Maren Thiessen",)),
    ("Wer hat das Getriebeöl bestellt?", ORDERS, "de", ("Tomasz Wójcik",)),
    ("Wie lange galt das Angebot?", ORDERS, "de", ("zwei Wochen",)),
    ("Wie lange dauert eine Schicht auf See?", SHIFT, "de", ("zwölf Stunden",)),
    ("Wann ist die Übergabe?", SHIFT, "de", ("um 6 Uhr", "6 Uhr")),
    ("Wo ist die Übergabe?", SHIFT, "de", ("Leitwarte", "in der Leitwarte")),
    ("Wie oft wird der Rettungsanzug geprüft?", SHIFT, "de", ("zweimal im Jahr", "zweimal")),
    ("Wie viele Wochen sind nach der See frei?", SHIFT, "de", ("drei", "drei Wochen")),
    ("Wer sperrt verlorene Zugangskarten?", CARD, "de", ("Leitwarte", "die Leitwarte")),
    ("Was kostet eine Karte?", CARD, "de", ("15 Euro",)),
    ("Wie lange gilt eine Karte?", CARD, "de", ("drei Jahre",)),
    ("In welchem Raum gibt es neue Karten?", CARD, "de", ("204", "Raum 204", "in Raum 204")),
    ("Wie viele Zeichen haben Passwörter?", CARD, "de", ("14", "14 Zeichen", "mindestens 14",
     "mindestens 14 Zeichen")),
    ("Wozu dienen Zugangskarten?", CARD, "de", ()),
    ("When does the first day start?", START, "en", ("9", "9 o'clock", "at 9 o'clock")),
    ("Where does the first day start?", START, "en", ("the operations centre in Cuxhaven", "Cuxhaven",
     "operations centre in Cuxhaven", "operations centre", "at the operations centre in Cuxhaven")),
    ("How long is the probation period?", START, "en", ("six months",)),
    ("How often does the mentor meet you?", START, "en", ("every week",)),
    ("How many days of vacation are there in a year?", START, "en", ("Thirty", "Thirty days",
     "Thirty days of vacation")),
    ("Who issues access cards?", ACCESS, "en", ("the IT platform team", "IT platform team")),
    ("Where are access cards issued?", ACCESS, "en", ("room 204", "in room 204")),
    ("How quickly is a lost card reported?", ACCESS, "en", ("within one hour", "one hour")),
    ("How often is the survival suit checked?", ACCESS, "en", ("every six months", "six months")),
    ("After how many minutes does the laptop lock itself?", ACCESS, "en", ("five", "five minutes",
     "after five minutes")),
    ("What is the survival suit made of?", ACCESS, "en", ()),
    ("How many visitors may one employee escort?", RULES, "en", ("five", "five visitors", "up to five",
     "up to five visitors")),
    ("Which berth do vessels longer than 140 metres use?", RULES, "en", ("5", "berth 5")),
    ("How long before arrival are dangerous goods announced?", RULES, "en", ("48 hours", "48 hours before arrival")),
    ("Why are dangerous goods announced?", RULES, "en", ("the fire brigade plans ahead",
     "because the fire brigade plans ahead")),
    ("When does release 2.4 go live?", RELEASE, "en", ("Thursday", "on Thursday")),
    ("Who keeps the old dashboards?", RELEASE, "en", ("Aylin Demir",)),
    ("Until when are the old dashboards kept?", RELEASE, "en", ("30 November", "until 30 November")),
    ("How much does the crane lift?", RELEASE, "en", ("12,500 kilograms", "12,500")),
    ("At which wind does the crane stop?", RELEASE, "en", ("12 m/s", "a wind of 12 m/s", "wind of 12 m/s")),
    ("How often is the crane inspected?", RELEASE, "en", ("twice a year", "twice")),
    ("Who inspects the crane?", RELEASE, "en", ("Erik Dahl",)),
    ("Who approved the new gate?", PRICES, "en", ("Grace Okafor",)),
    ("When was the new gate approved?", PRICES, "en", ("3 March 2025", "on 3 March 2025")),
    ("How much did the new gate cost?", PRICES, "en", ("18,400 euros",)),
    ("How many companies built the gate?", PRICES, "en", ("two", "two companies")),
    ("Where do visitors report?", PRICES, "en", ("north gate", "the north gate", "at the north gate")),
    ("How long is a visitor pass valid?", PRICES, "en", ("one day", "for one day")),
    ("How do visitors report?", PRICES, "en", ()),
)  # fmt: skip
