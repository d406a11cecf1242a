"""Pictures to index, and questions about others: split.py CAPTIONS.jsonl OUT

CAPTIONS.jsonl is RSICD's valid split as {"image", "captions"} a line. OUT/indexed.jsonl gets the 400 pictures on which
docs/find.md says how the method was chosen, OUT/questions.jsonl the others with the features that are present (the
file's class, or two of the five captions name it) and absent (neither); what one caption names is not asked for.
"""
import json, os, random, re, sys

FEATURES = {
    "an airport": (["airport"], r"\bairports?\b|\brunways?\b|\bterminals?\b"),
    "a plane": (["airport"], r"\b(air)?planes?\b|\baircrafts?\b"),
    "bare land": (["bareland"], r"\bbare ?(land|soil|ground)"),
    "a baseball field": (["baseballfield"], r"\bbase ?balls?\b"),
    "a beach": (["beach"], r"\bbeach(es)?\b"),
    "a bridge": (["bridge", "viaduct"], r"\bbridges?\b|\bviaducts?\b|\boverpass"),
    "a church": (["church"], r"\bchurch(es)?\b"),
    "a desert": (["desert"], r"\bdeserts?\b|\bdunes?\b"),
    "farmland": (["farmland"], r"\bfarm|\bcrop|\bfields? of"),
    "a forest": (["forest"], r"\bforests?\b|\bwoods?\b"),
    "a meadow": (["meadow"], r"\bmeadows?\b|\bgrass ?lands?\b"),
    "a mountain": (["mountain"], r"\bmountains?\b|\bhills?\b|\bridges?\b"),
    "a parking lot": (["parking"], r"\bparking|\bparked\b|\bpark(ing)? lot"),
    "a playground": (["playground"], r"\bplaygrounds?\b|\btracks?\b"),
    "a pond": (["pond"], r"\bponds?\b|\blakes?\b|\bpools?\b"),
    "a port": (["port"], r"\bports?\b|\bharbou?rs?\b|\bdocks?\b|\bboats?\b|\bships?\b"),
    "a railway station": (["railwaystation"], r"\brailways?\b|\btrains?\b|\brails?\b|\brailroads?\b"),
    "a river": (["river"], r"\brivers?\b|\bstreams?\b"),
    "a stadium": (["stadium"], r"\bstadiums?\b"),
    "storage tanks": (["storagetanks"], r"\btanks?\b"),
    "a viaduct": (["viaduct"], r"\bviaducts?\b|\boverpass|\bbridges?\b|\binterchange"),
    "a swimming pool": ([], r"\bpools?\b"),
    "boats": (["port"], r"\bboats?\b|\bships?\b|\byachts?\b|\bvessels?\b"),
    "a tennis court": ([], r"\btennis\b|\bcourts?\b"),
    "a football field": ([], r"\bfootball\b|\bsoccer\b"),
    "the sea": ([], r"\bseas?\b|\bocean\b|\bwaves?\b|\bcoast"),
    "cars": ([], r"\bcars?\b|\bvehicles?\b|\bparking|\bparked"),
    "a factory": (["industrial"], r"\bfactor(y|ies)\b|\bindustr|\bworkshops?\b|\bplants?\b"),
    "dense residential houses": (["denseresidential"], r"\bresidential\b|\bhouses?\b|\bvillas?\b"),
    "a roundabout": ([], r"\broundabout|\bcircular road|\bround"),
}


def label(feature, row):
    classes, words = FEATURES[feature]
    named = sum(bool(re.search(words, caption.lower())) for caption in row["captions"])
    if named >= 2 or os.path.basename(row["image"]).split("_")[0] in classes:
        return "present"
    return "absent" if named == 0 else "unclear"


rows = sorted(map(json.loads, open(sys.argv[1])), key=lambda row: row["image"])
random.Random(1).shuffle(rows)
os.makedirs(sys.argv[2], exist_ok=True)
with open(os.path.join(sys.argv[2], "indexed.jsonl"), "w") as file:
    for row in rows[:400]:
        print(json.dumps({"image": row["image"], "captions": row["captions"]}), file=file)
with open(os.path.join(sys.argv[2], "questions.jsonl"), "w") as file:
    for row in sorted(rows[400:], key=lambda row: row["image"]):
        labels = {feature: label(feature, row) for feature in FEATURES}
        of = lambda wanted: [feature for feature, found in labels.items() if found == wanted]
        print(json.dumps({"image": row["image"], "present": of("present"), "absent": of("absent")}), file=file)
