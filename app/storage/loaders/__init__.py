"""What rules need to know, a loader for each kind of fact. `app.storage.facts` puts them together.

Each loads with one compiled statement for a whole batch of attempts.
"""
