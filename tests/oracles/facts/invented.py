"""Facts beside those of a simulated company, some with texts that are hard to export."""

import csv

from facts.times import DAY, SECOND, instant

# Texts of answers: what spreadsheets would compute, and what CSV has to quote.
CHANNELS = ["web", "=1+1", "'quoted'", "-5", "a,b", "say \"so\"", "two\nlines", "naïve 🙂", ""]
OUTCOMES = ["", "", "", "", "refusal", "other", "not_eligible", "complete"]


def make_up(suite, directory, asked, chance):
    """Invitations to a survey, and answers that follow them."""
    first, last = asked.months[0] - 40 * DAY, asked.months[-1] + 20 * DAY
    invitations, answers = [], []
    for number in range(600):
        sent = chance.randrange(first, last) // SECOND * SECOND
        later = lambda: instant(sent + chance.randrange(0, 20) * DAY)
        invitations.append({
            "external_id": f"i{number}", "survey": "made up", "time": instant(sent), "customer": chance.choice(["", f"x{number % 90}"]),
            "delivered": chance.choice(["", later()]), "opened": chance.choice(["", later()]), "begun": chance.choice(["", "", later()]),
            "reminders": chance.choice([0, 0, 1, 3]), "outcome": chance.choice(OUTCOMES), "channel": chance.choice(CHANNELS)})
        for _ in range(chance.choice([0, 0, 1, 1, 1, 2])):
            score = chance.choice(["", *range(11), 9, 10])
            answers.append({
                "external_id": f"a{len(answers)}", "time": later(), "score": score, "invitation": f"i{number}",
                "disposition": chance.choice(["break_off", "refused", "dont_know"]) if score == "" else "",
                "channel": chance.choice(CHANNELS), "language": chance.choice(["", "ro", "en"])})
    # Rates of some channels and teams, some of which end, and contacts that tell what they cost.
    rates, contacts = [], []
    for number in range(12):
        at = chance.randrange(first, last) // SECOND * SECOND
        rate = {"per_contact": "", "per_hour": "", chance.choice(["per_contact", "per_hour"]): f"{chance.randrange(0, 5000) / 100}"}
        rates.append({
            "external_id": f"r{number}", "kind": "contact", "time": instant(at), "currency": chance.choice(["EUR", "EUR", "USD"]),
            "end_time": chance.choice(["", instant(at + chance.randrange(1, 300) * DAY)]),
            "channel": chance.choice(["", "phone", "email", "web"]), "team": chance.choice(["", "", "service"]), **rate})
    # Those of letters are sure to cost what they take.
    rates.append({"external_id": "letters", "kind": "contact", "time": instant(first), "currency": "EUR", "end_time": "",
                  "channel": "letter", "team": "", "per_contact": "", "per_hour": "30"})
    for number in range(200):
        cost = chance.choice(["", "1.05", "0"])
        contacts.append({
            "external_id": f"t{number}", "customer": f"x{number % 90}", "time": instant(chance.randrange(first, last) // SECOND * SECOND),
            "direction": chance.choice(["inbound", "outbound"]), "channel": chance.choice(["phone", "letter", "web"]),
            "cost": cost, "currency": "EUR" if cost else "", "handling_time": chance.choice(["", "90s", "10m"])})
    # The first answer makes the survey.
    begin = [{"external_id": "first", "time": instant(first), "score": 7}]
    for kind, name, rows, more in [("responses", "begin", begin, ["--set", "survey=made up"]), ("invitations", "invitations", invitations, []),
                                   ("responses", "answers", answers, ["--set", "survey=made up"]),
                                   ("costs", "rates", rates, []), ("interactions", "contacts", contacts, [])]:
        path = directory / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        suite.run("import", kind, str(path), "--map-by-name", "--source", "made-up", *more)
