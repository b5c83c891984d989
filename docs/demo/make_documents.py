"""Write the demo's PDF and docx from the text in this file: `.venv/bin/python docs/demo/make_documents.py` (needs the dev set)."""

from __future__ import annotations

from pathlib import Path

from docx import Document
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

TARGET = Path(__file__).resolve().parents[2] / "apps/ops/demo/documents"

GERMAN: list[tuple[str, list[str], list[list[str]]]] = [
    (
        "1. Zweck und Geltung",
        [
            "Dieses Handbuch regelt den Betrieb des Windparks Nordlicht. Es gilt für alle Beschäftigten, für Gäste und für beauftragte Firmen, "
            "sobald sie ein Schiff, einen Turm oder die Leitwarte betreten.",
            "Verantwortlich für den Inhalt ist die Betriebsleitung. Änderungen werden im Kanal allgemein angekündigt und treten nach sieben Tagen "
            "in Kraft.",
        ],
        [],
    ),
    (
        "2. Wetterlimits",
        [
            "Ein Turm darf nur bestiegen werden, wenn alle Werte der folgenden Tabelle seit 30 Minuten eingehalten sind. Die Schichtleitung "
            "entscheidet vor Ort und darf jederzeit strenger sein.",
        ],
        [
            ["Tätigkeit", "Wind höchstens", "Welle höchstens", "Sicht mindestens"],
            ["Übersteigen vom Boot", "12 m/s", "1,5 m", "1.000 m"],
            ["Arbeiten in der Gondel", "16 m/s", "2,0 m", "500 m"],
            ["Kranarbeiten", "10 m/s", "1,2 m", "1.000 m"],
            ["Hubschrauber", "18 m/s", "keine Grenze", "1.500 m"],
        ],
    ),
    (
        "3. Wartung des Getriebes",
        [
            "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.000 Betriebsstunden. Eine Füllung umfasst 420 Liter.",
            "Die Temperatur an den Getriebelagern darf 85 °C nicht überschreiten. Bei 85 °C warnt die Leitwarte, bei 92 °C wird die Anlage "
            "selbsttätig abgeschaltet. Nach einer Abschaltung ist eine Sichtprüfung vorgeschrieben, bevor die Anlage wieder anläuft.",
        ],
        [
            ["Arbeit", "Abstand", "Dauer", "Personen"],
            ["Ölwechsel Getriebe", "18 Monate", "5 Stunden", "3"],
            ["Ölprobe", "6 Monate", "1 Stunde", "2"],
            ["Filter tauschen", "12 Monate", "2 Stunden", "2"],
            ["Bremsbeläge prüfen", "12 Monate", "3 Stunden", "2"],
        ],
    ),
    (
        "4. Alarmkette",
        [
            "Wer einen Unfall bemerkt, meldet ihn sofort über Kanal 16 oder unter der Nummer 112 der Leitwarte. Die Leitwarte verständigt die "
            "Seenotleitung in Bremen und danach die Betriebsleitung.",
            "Eine verlorene Zugangskarte wird innerhalb einer Stunde gemeldet. Die Leitwarte sperrt die Karte und tauscht die Codes des betroffenen Turms.",
        ],
        [
            ["Stufe", "Ereignis", "Wer entscheidet", "Frist"],
            ["gelb", "Störung ohne Gefahr", "Schichtleitung", "4 Stunden"],
            ["orange", "Verletzung, Leckage", "Leitwarte", "15 Minuten"],
            ["rot", "Mensch in Lebensgefahr", "Seenotleitung", "sofort"],
        ],
    ),
    (
        "5. Ersatzteile",
        [
            "Das Lager in Cuxhaven hält die Teile der folgenden Tabelle vor. Wird der Mindestbestand unterschritten, löst der Einkauf eine "
            "Bestellung aus. Bestellungen über 10.000 Euro brauchen die Freigabe der Betriebsleitung.",
        ],
        [
            ["Teil", "Mindestbestand", "Lieferzeit", "Preis je Stück"],
            ["Ölfilter", "12", "5 Tage", "86,40 €"],
            ["Getriebelager", "2", "9 Wochen", "14.200,00 €"],
            ["Temperaturfühler", "10", "3 Tage", "41,90 €"],
            ["Bremsbelag", "16", "2 Wochen", "312,00 €"],
        ],
    ),
    (
        "6. Schichten und Ruhezeiten",
        [
            "Eine Schicht auf See dauert zwölf Stunden, die Schichtübergabe 20 Minuten. Nach 14 Tagen auf See folgen 14 freie Tage. Zwischen zwei "
            "Schichten liegen mindestens elf Stunden Ruhezeit.",
            "Die Übergabe wird schriftlich im Kanal allgemein festgehalten: Störungen, offene Arbeiten, Wetterlage.",
        ],
        [],
    ),
    (
        "7. Gäste an Bord",
        [
            "Gäste nehmen vor der ersten Fahrt an der Sicherheitsunterweisung teil; sie gilt zwölf Monate. Ein Gast betritt einen Turm nur in "
            "Begleitung und mit eigenem Rettungsanzug. Je Begleitperson sind höchstens zwei Gäste erlaubt.",
        ],
        [],
    ),
]

ENGLISH: list[tuple[str, list[str], list[list[str]]]] = [
    (
        "Purpose",
        [
            "This handbook is the short English edition for partners and guests. In case of doubt the German edition applies."
        ],
        [],
    ),
    (
        "Personal protective equipment",
        [
            "Everyone on board wears a life jacket, a helmet with chin strap and safety boots. A survival suit is mandatory when the water "
            "temperature is below 15 degrees Celsius.",
            "Harnesses are inspected every twelve months. A harness that has caught a fall is taken out of service at once.",
        ],
        [],
    ),
    (
        "Crane operations",
        [
            "Lifting stops when the wind exceeds 10 metres per second. The crane operator and the banksman use radio channel 8. Nobody stands "
            "under a suspended load.",
        ],
        [
            ["Crane", "Safe working load", "Reach", "Next inspection"],
            ["Deck crane", "3.2 t", "18 m", "March 2027"],
            ["Nacelle hoist", "0.8 t", "110 m", "June 2027"],
            ["Mobile crane", "12.0 t", "32 m", "January 2027"],
        ],
    ),
    (
        "Waste and spills",
        [
            "Used oil is collected in sealed drums and returned to port. A spill of more than five litres is reported to the control room within "
            "ten minutes. Absorbent mats are stored at every tower entrance.",
        ],
        [],
    ),
    (
        "Data and confidentiality",
        [
            "Photos of control systems need the permission of the IT platform team. Guests connect to the visitor network only. Passwords are at "
            "least twelve characters long and are never shared.",
        ],
        [],
    ),
]


def write_pdf() -> None:
    """Write the German handbook with its tables."""
    styles = getSampleStyleSheet()
    story: list[object] = [
        Paragraph("Betriebshandbuch Offshore", styles["Title"]),
        Paragraph("Nordlicht Wind, Ausgabe 4, Januar 2026", styles["Italic"]),
        Spacer(1, 24),
    ]
    for index, (heading, paragraphs, table) in enumerate(GERMAN):
        story.append(Paragraph(heading, styles["Heading1"]))
        for paragraph in paragraphs:
            story += [Paragraph(paragraph, styles["BodyText"]), Spacer(1, 6)]
        if table:
            grid = Table(table, hAlign="LEFT", repeatRows=1)
            grid.setStyle(
                TableStyle(
                    [
                        ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
                        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
                        ("FONTNAME", (0, 0), (-1, 0), "Helvetica-Bold"),
                        ("FONTSIZE", (0, 0), (-1, -1), 9),
                    ]
                )
            )
            story += [Spacer(1, 6), grid, Spacer(1, 12)]
        if index < len(GERMAN) - 1:
            story.append(PageBreak())
    SimpleDocTemplate(
        str(TARGET / "betriebshandbuch.pdf"),
        pagesize=A4,
        title="Betriebshandbuch Offshore",
        author="Nordlicht Wind",
        invariant=1,
    ).build(story)


def write_docx() -> None:
    """Write the English handbook."""
    document = Document()
    document.add_heading("Operations handbook", 0)
    for heading, paragraphs, table in ENGLISH:
        document.add_heading(heading, 1)
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
        if table:
            grid = document.add_table(rows=0, cols=len(table[0]))
            grid.style = "Table Grid"
            for row in table:
                for cell, text in zip(grid.add_row().cells, row, strict=True):
                    cell.text = text
    document.save(str(TARGET / "operations-handbook.docx"))


if __name__ == "__main__":
    write_pdf()
    write_docx()
