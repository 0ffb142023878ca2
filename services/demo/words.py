"""What the people of a generated world are called and talk about."""

from __future__ import annotations

_FIRST_NAMES = """
Ada Aisha Alba Amara Anders Anjali Anouk Antonio Arjun Asha Astrid Ben Bruno Camille Carlos Chiara Chidi Clara Daan Dalia
Daniel Diego Dina Eli Elif Emeka Emma Esra Fatima Felix Femi Finn Freya Gabriel Grace Hana Hannah Hugo Ines Ingrid Isla
Ivan Jamal Jana Jin Jonas Jules Kai Karim Kofi Lara Leila Lena Leo Liam Lin Lucia Luis Magnus Maja Malik Marco Maren Mateo
Maya Mei Milan Mina Nadia Naomi Nia Nils Noah Noor Olga Olivia Omar Oscar Paula Petra Priya Rafael Rania Ravi Rosa Ruth
Sami Sara Selma Sofia Sven Tariq Theo Tomas Uma Vera Viktor Wei Yara Yusuf Zoe Zuri
"""
FIRST_NAMES = tuple(_FIRST_NAMES.split())

_LAST_NAMES = """
Abbas Adeyemi Ahmed Almeida Andersen Bauer Becker Bianchi Blake Boateng Brandt Castro Chen Cohen Costa Dahl Diallo Dubois
Eriksen Farah Fischer Fontaine Garcia Gomez Gupta Haddad Hansen Hoffmann Ibrahim Ito Jansen Kaya Keller Khan Kim Kovacs
Kowalski Lange Larsen Levi Lindgren Lopez Mancini Marsh Martin Mbeki Mendes Meyer Mori Moreau Nakamura Navarro Nguyen
Novak Nowak Okafor Okoye Olsen Osei Park Patel Pereira Petrov Quinn Ramos Rao Reyes Rossi Roux Sato Schmidt Shah Silva
Singh Sokolov Stone Suzuki Tanaka Torres Vargas Visser Vogel Wagner Walsh Weber Winter Wolf Wong Yilmaz Young Zhang
"""
LAST_NAMES = tuple(_LAST_NAMES.split())

TOPICS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("cycling", ("the canal path", "a new saddle", "the headwind", "my old steel frame"), ("Cycling", "BikeCommute", "Velo")),
    ("coffee", ("this flat white", "the new roaster", "a hand grinder", "decaf after lunch"), ("Coffee", "SlowMorning")),
    ("gardening", ("the tomato seedlings", "my compost heap", "late frost", "a balcony of basil"), ("Garden", "GrowYourOwn")),
    ("astronomy", ("Saturn's rings", "the Perseids", "a borrowed telescope", "a very clear sky"), ("Astronomy", "NightSky")),
    ("baking", ("rye sourdough", "cardamom buns", "a stubborn starter", "my grandmother's oven"), ("Baking", "Sourdough")),
    ("programming", ("a flaky test", "the type checker", "an index nobody used", "twenty-year-old code"), ("Python", "Code")),
    ("running", ("ten slow kilometres", "the river loop", "a half marathon", "new shoes"), ("Running", "ParkRun")),
    ("books", ("a second-hand atlas", "a long Russian novel", "the library queue", "poems on trains"), ("Books",)),
    ("music", ("a cello suite", "the upstairs drummer", "three chords", "an open-air concert"), ("Music", "NowPlaying")),
    ("hiking", ("the ridge trail", "wet boots", "a hut at 2,000 metres", "the first snow"), ("Hiking", "Outdoors")),
    ("photography", ("a roll of film", "golden hour", "one blurry heron", "street lamps in the rain"), ("Photography", "35mm")),
    ("football", ("that last-minute goal", "the away end", "a muddy pitch", "the offside rule"), ("Football", "Matchday")),
    ("cooking", ("dal with too much ginger", "knife skills", "leftovers", "my aunt's dumplings"), ("Cooking", "Dinner")),
    ("cities", ("the night bus", "a new tram line", "benches with backs", "the market square"), ("UrbanLife", "Trams")),
    ("science", ("a null result", "the lab freezer", "peer review", "a paper from 1974"), ("Science", "OpenData")),
)  # fmt: skip

SENTENCES = (
    "Spent the whole morning on {thing}.",
    "Nobody warned me about {thing}.",
    "Honestly, {thing} made my day.",
    "Still thinking about {thing}.",
    "Small victory today: {thing}.",
    "Does anyone else care this much about {thing}?",
    "Unpopular opinion: {thing} is underrated.",
    "A short thread on {thing}, because somebody asked.",
    "I said I would stop talking about {thing}. I lied.",
    "Today I learned more about {thing} than I wanted to.",
    "If you need me, I am busy with {thing}.",
    "There are two kinds of people, and {thing} separates them.",
)

SECOND_SENTENCES = (
    "Worth every minute.",
    "Would do it again tomorrow.",
    "More soon.",
    "Photos when the light is better.",
    "Send help, or biscuits.",
    "My neighbours have opinions.",
    "It took three attempts.",
    "Recommendations welcome.",
    "That is all, carry on.",
    "Next week: the same, but slower.",
)

EMOJI = (
    "🚲",
    "☕",
    "🌱",
    "🔭",
    "🍞",
    "🐍",
    "🏃",
    "📚",
    "🎻",
    "⛰️",
    "📷",
    "⚽",
    "🍜",
    "🚋",
    "🔬",
    "😅",
    "🙌",
    "✨",
    "👩‍🍳",
    "🤷🏽",
)

LINKS = (
    "https://example.org/{topic}/{number}",
    "https://blog.example.com/{topic}?p={number}",
    "https://example.net/v/{number}",
)

PLACES = ("Berlin", "Lagos", "Lisbon", "Osaka", "Nairobi", "Toronto", "Montevideo", "Utrecht", "Pune", "Bergen")

BIOS = (
    "{topic} by day, {other} by night.",
    "Writes about {topic}. Reads about {other}.",
    "{place}. Mostly {topic}, some {other}.",
    "Amateur in {topic}, beginner in {other}, expert in neither.",
    "Here for the {topic}.",
    "",
)
