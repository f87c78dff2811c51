# %% [markdown]
# # Quick start
#
# From film ratings to everybody's top ten, and an honest account of how good those lists are, in seconds. This file is
# a notebook in percent format: VS Code, PyCharm, Spyder and Jupytext open it cell by cell, and
# `python docs/quick-start.py` runs it as it is. It needs `pip install ".[report]"`, for the picture, and no network.

# %%
import matplotlib.pyplot as plt
import numpy as np

import matinee
from matinee.contract import Queries
from matinee.data.interactions import Interactions
from matinee.evaluation.accuracy import per_user
from matinee.evaluation.compare import compare_all
from matinee.scoring.reasons import reasons

# %% [markdown]
# ## The data
#
# 73,508 ratings that people tweeted. Your own file goes in here: `matinee.load("my_log.csv")`.

# %%
data = matinee.load("embedded:movietweetings")
titles = data.item_features.texts("title").values
print(f"{data.n_users:,} users, {data.n_items:,} films, {len(data.log):,} events")
for item in np.argsort(-data.log.item_counts())[:5]:
    print(f"{data.log.item_counts()[item]:>6,}  {titles[item]}")

# %% [markdown]
# ## Hide a part of each history
#
# A tenth of everybody's events is hidden: half of it the newest ones, half anywhere before. `valid` is there to choose
# by, `test` to report, once.

# %%
stages = matinee.stages(data, {"protocol": "gap_and_tail", "seed": 0})
test = stages["test"]
print(f"{len(test.fit.log):,} events to learn from, {len(test.truth.items):,} hidden of {len(test.users):,} users")

# %% [markdown]
# ## Four models
#
# A recipe holds hyper-parameters, `fit` gives a scorer, and the stage ranks the whole catalogue with it.
# `matinee models` lists what there is.

# %%
recipes = {
    "popularity": matinee.recipe("popularity", {"half_life_days": 30}),
    "item_knn": matinee.recipe("item_knn", {}),
    "ease": matinee.recipe("ease", {"l2": 200.0}),
    "transitions": matinee.recipe("transitions", {"query_decay": 0.9}),
}
scorers = {name: recipe.fit(test.fit) for name, recipe in recipes.items()}
lists = {name: test.recommend(scorer, k=10) for name, scorer in scorers.items()}

# %% [markdown]
# ## How good are they?
#
# `hidden_part` measures what came next (tail) apart from what was missing in the middle (gap): two questions with two
# answers.

# %%
rows = {name: test.measure(found, ["recall@10"], segments=["hidden_part"]) for name, found in lists.items()}
for name, found in rows.items():
    told = "  ".join(f"{row.segment or 'all'} {row.value:.4f} [{row.low:.4f}, {row.high:.4f}]" for row in found)
    print(f"{name:<13}{told}")

# %%
figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
for offset, part in enumerate((None, "hidden_part=gap", "hidden_part=tail")):
    shown = [next(row for row in found if row.segment == part) for found in rows.values()]
    middle = np.array([row.value for row in shown])
    ends = np.array([[row.value - row.low, row.high - row.value] for row in shown]).T
    places = np.arange(len(shown)) + 0.22 * (offset - 1)
    axes.errorbar(middle, places, xerr=ends, fmt="o", label="everything hidden" if part is None else part[12:])
axes.set_yticks(range(len(rows)), list(rows))
axes.set_xlabel("recall@10 on test, with 95 % intervals")
axes.legend(frameon=False)
figure.savefig("quick-start.svg")

# %% [markdown]
# ## Which is better?
#
# Paired over users and corrected for the number of pairs. "cannot tell" is an answer.

# %%
values = {name: per_user(found, test.truth, ["recall@10"])["recall@10"] for name, found in lists.items()}
for (first, second), found in compare_all(values, seed=0).items():
    print(f"{first:<13}{second:<13}{found.difference:+.4f} [{found.low:+.4f}, {found.high:+.4f}]  {found.verdict}")

# %% [markdown]
# ## A list for somebody new, and why
#
# A scorer scores histories, not ids: here of somebody who was in no log, and has seen two films.

# %%
seen = [titles.index("Toy Story (1995)"), titles.index("Finding Nemo (2003)")]
history = Interactions.from_events([0, 0], seen, [0, 1], n_users=1, n_items=data.n_items)
somebody_new = Queries.of(history)
best = np.argsort(-scorers["ease"].score(somebody_new)[0])
best = best[~np.isin(best, seen)][:5].astype(np.int32)
for item, why in zip(best, reasons(scorers["ease"], somebody_new, best, 2), strict=True):
    print(f"{titles[item]:<28}because of {', '.join(titles[one.item] for one in why)}")

# %% [markdown]
# ## On
#
# An experiment file does all this with more models, ensembles, a submission and a page:
# [your own data](start/your-own-data.md), [compare honestly](guides/compare-honestly.md), [all pages](README.md).
