"""What the reports told: public scores of models and of combinations, and the year of each model's paper."""

from __future__ import annotations

PUBLIC: dict[str, float] = {
    # model: public Recall@10 of the competition; the middle where several teams told one. A rule by genre with 0.0084
    # is left out: less than popularity, so most likely a mistake.
    "wide_deep": 0.0485, "item_knn": 0.041, "fm": 0.066, "genre_quota": 0.070, "bpr": 0.087, "deep_fm": 0.079,
    "fism": 0.086, "s3rec": 0.0945, "autorec": 0.0965, "als": 0.109, "bert4rec": 0.115, "user_knn": 0.1155,
    "vae": 0.119, "multi_vae": 0.132, "rec_vae": 0.137, "dae": 0.141, "multi_dae": 0.1395, "ease": 0.160,
}
PUBLIC_ENSEMBLES = {"ladder_7": 0.155, "best_4": 0.1675}
YEARS: dict[str, int] = {
    # model: when its paper came out; rules, floors and what has no paper of its own are left out
    "als": 2008, "auto_int": 2019, "autorec": 2015, "bert4rec": 2019, "bpr": 2009, "dae": 2016, "deep_fm": 2017,
    "ease": 2019, "ease_pairs": 2021, "ffm": 2016, "fism": 2013, "fm": 2010, "fpmc": 2010, "gru4rec": 2016,
    "gru4rec_be": 2022, "item_knn": 2001, "multi_dae": 2018, "multi_vae": 2018, "narm": 2017, "prme": 2015,
    "pure_svd": 2010, "rec_vae": 2020, "s3rec": 2020, "sasrec": 2018, "slim": 2011, "time_weight_cf": 2005,
    "transrec": 2017, "user_clusters": 1998, "user_knn": 1994, "vae": 2018, "wide_deep": 2016,
}
NEW = 2018
"""A model of this year or later counts as new."""
LADDER: dict[str, float | None] = {
    # rung: public score in the wrap-up report
    "multi_dae_genre": None, "ladder_2": None, "ladder_3": None, "ladder_4": 0.1518, "ladder_5": 0.1523,
    "ladder_6": 0.1550, "ladder_7": 0.1552,
}
NINE: dict[str, float] = {
    # combination: public score in the README of team 7
    "mvae_sasrec": 0.1274, "dae_ub": 0.1365, "dae_mvae": 0.1470, "top_5": 0.1418, "each_model": 0.1493,
    "top_10": 0.1482, "best_7": 0.1643, "best_3": 0.1644, "best_4": 0.1675,
}
