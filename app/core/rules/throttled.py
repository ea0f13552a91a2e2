"""`throttled`: too many wrong codes were tried for this holder number or at this gate.

Asked before the code is looked at, so that a spent budget answers the right code and a wrong one alike.

The arithmetic (NIST SP 800-63B-4 section 3.2.2 asks for such a limit; its own bound of 100 attempts is looser).
A code has 7 random digits, and a holder has one live code at a time, so one guess is right with probability 1e-7.

- Against one holder: `PER_NUMBER` = 10 guesses a day, hence at most 10 * 1e-7 = 1e-6 a day.
- At one gate: `PER_GATE` = 100 guesses, then one in `TRICKLE` = ten minutes, at most 144 more in a day, hence at most
  244 * 1e-7 = 2.44e-5 a day, under 3e-5. (On the one day of 25 hours 150 more, and 2.5e-5.)

A number's budget is kept whether or not a holder has that number, so that being throttled tells nothing. One typist
spends at most a tenth of a gate's budget, so one person's errors never shut the gate for others.
"""

from ..model import SECOND, Facts
from ..rule import Need, rule

PER_NUMBER = 10
PER_GATE = 100
TRICKLE = 600 * SECOND
LIMITS = {"number": PER_NUMBER, "gate": PER_GATE}


@rule("throttled", needs=(Need.BUDGETS,), offline=False, overridable=False)
def throttled(facts: Facts) -> bool:
    """Refuse while the holder number's budget is spent, or the gate's is and a wrong code came in the last 10 min."""
    if facts.token is not None and facts.token.kind != "code":
        return False  # a card whose number looks like a code
    for key, budget in facts.budgets.items():
        spent = budget.day == facts.today and budget.spent >= LIMITS[key.kind]
        if spent and (key.kind == "number" or facts.now - budget.last_at < TRICKLE):
            return True
    return False
