"""A made-up result with every group, for the tests of the three outputs.  Its figures mean nothing."""

import numpy as np
import pandas as pd
import shapely
import xarray as xr

from airsim.output import boundaries

CITIES = [
    # id, zh, en, longitude, latitude, level of pollution
    ("xian", "西安", "Xi'an", 108.94, 34.27, 1.25),
    ("tongchuan", "铜川", "Tongchuan", 109.08, 34.91, 0.75),
    ("baoji", "宝鸡", "Baoji", 107.14, 34.37, 0.8),
    ("xianyang", "咸阳", "Xianyang", 108.71, 34.33, 1.2),
    ("weinan", "渭南", "Weinan", 109.51, 34.50, 1.15),
    ("yangling", "杨凌", "Yangling", 108.08, 34.27, 1.0),
    ("shangluo", "商洛", "Shangluo", 109.94, 33.87, 0.5),
    ("hancheng", "韩城", "Hancheng", 110.45, 35.47, 0.9),
    ("tianshui", "天水", "Tianshui", 105.72, 34.58, 0.5),
    ("pingliang", "平凉", "Pingliang", 106.67, 35.54, 0.45),
    ("qingyang", "庆阳", "Qingyang", 107.64, 35.71, 0.4),
    ("yuncheng", "运城", "Yuncheng", 111.00, 35.02, 1.2),
    ("linfen", "临汾", "Linfen", 111.52, 36.08, 1.3),
    ("sanmenxia", "三门峡", "Sanmenxia", 111.20, 34.77, 0.9),
    ("luoyang", "洛阳", "Luoyang", 112.45, 34.62, 1.2),
]
ALERTED = ("xian", "baoji", "xianyang", "tongchuan", "weinan", "yangling")
POLLUTANTS = ["SO2", "NOx", "PM10", "PM25", "BC", "OC", "VOC", "NH3", "CO"]
SECTORS = ["power", "heat", "steel", "coking", "cement", "industry", "small_industry", "residential",
           "transport", "offroad", "dust", "agriculture", "solvent"]  # fmt: skip
CRS = "+proj=lcc +lat_1=33.8 +lat_2=35.7 +lat_0=34.75 +lon_0=109 +datum=WGS84 +units=m"
COMPONENTS = {"bc": 0.05, "om": 0.2, "soa": 0.1, "sulphate": 0.13, "nitrate": 0.22, "ammonium": 0.12, "other": 0.18}


def make(*, hours: int = 72, ny: int = 9, nx: int = 14, seed: int = 1) -> xr.DataTree:
    """Return a result with every group; `hours` counts from 2019-01-01 00:00 Beijing time."""
    import pyproj

    random = np.random.default_rng(seed)
    time = pd.date_range("2018-12-31T16:00", periods=hours, freq="h").to_numpy()
    local = pd.DatetimeIndex(time) + pd.Timedelta(hours=8)
    day = np.unique(local.normalize().to_numpy())
    ids = [c[0] for c in CITIES]
    level = np.array([c[5] for c in CITIES])
    phase = np.arange(hours) / hours
    shape = (
        90 + 150 * np.exp(-(((phase - 0.55) / 0.22) ** 2)) + 25 * np.cos(2 * np.pi * (local.hour.to_numpy() - 3) / 24)
    )
    base = shape[:, None] * level * random.lognormal(0, 0.06, (hours, len(ids)))
    alert = (phase > 0.25) & (phase < 0.75)
    effect = np.where(alert[:, None] & np.isin(ids, ALERTED), 0.84, 0.985)
    pm25 = np.stack([base, base * effect])

    half_x, half_y = 320e3, 195e3
    x, y = np.linspace(-half_x, half_x, nx), np.linspace(-half_y, half_y, ny)
    to_lonlat = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    lon, lat = to_lonlat.transform(*np.meshgrid(x, y))
    basin = np.exp(-(((lat - 34.4 - 0.25 * (lon - 108.9)) / 0.45) ** 2)) * np.clip((lon - 106.5) / 2, 0, 1)
    near_xian = np.exp(-((lon - 108.9) ** 2 + (lat - 34.3) ** 2) / 0.3)
    pattern = 0.25 + 0.75 * basin + 0.35 * near_xian
    field = shape[:, None, None] * pattern
    field = np.stack([field, field * (1 - 0.16 * alert[:, None, None] * basin)])

    def daily(hourly):
        frame = pd.DataFrame(hourly.reshape(hours, -1)).groupby(local.normalize()).mean()
        return frame.to_numpy().reshape(-1, *hourly.shape[1:])

    pm25_daily = np.stack([daily(c) for c in pm25])
    edges = [0, 35, 75, 115, 150, 250, 350, 500]
    aqi = np.ceil(np.interp(pm25_daily, edges, [0, 50, 100, 150, 200, 300, 400, 500]))
    root = xr.Dataset(
        {
            "pm25": (("case", "time", "city"), pm25),
            "pm10": (("case", "time", "city"), pm25 * 1.5),
            "so2": (("case", "time", "city"), pm25 * 0.15),
            "nox": (("case", "time", "city"), pm25 * 0.5),
            "co": (("case", "time", "city"), pm25 * 10),
            **{name: (("case", "time", "city"), pm25 * share) for name, share in COMPONENTS.items()},
            "pm25_background": (("time", "city"), np.full((hours, len(ids)), 12.0)),
            "aqi": (
                ("case", "day", "city"),
                aqi,
                {"rule": "HJ633-2012", "items": "pm25_24h", "items_left_out": "o3_8h"},
            ),
            "pm25_daily": (("case", "day", "city"), pm25_daily),
            "pm25_field": (("case", "time", "y", "x"), field),
            "pm25_mean_field": (("case", "y", "x"), field.mean(axis=1)),
            "terrain": (("y", "x"), 400 + 1500 * (1 - basin)),
        },
        coords={
            "case": ["base", "controlled"],
            "time": time,
            "day": day,
            "city": ids,
            "city_zh": ("city", [c[1] for c in CITIES]),
            "city_en": ("city", [c[2] for c in CITIES]),
            "x": x,
            "y": y,
            "longitude": (("y", "x"), lon),
            "latitude": (("y", "x"), lat),
        },
        attrs={
            "name": "guanzhong-january",
            "title": "Guanzhong January episode (made up)",
            "title_zh": "关中一月过程（虚构）",
            "crs": CRS,
        },
    )
    return xr.DataTree.from_dict(
        {
            "/": root,
            "/emissions": _emissions(random, ids, y, x, pattern),
            "/enterprises": _enterprises(random),
            "/measures": _measures(random),
            "/attribution": _attribution(time, pm25, ids),
            "/emergency": _emergency(random, ids, time),
            "/coal": _coal(random, ids),
            "/transfer": _transfer(random, ids),
            "/ranking": _ranking(random, y, x, pattern),
            "/plume": _plume(),
            "/meteorology": _meteorology(random, time, ids, local),
            "/evaluation": _evaluation(pm25, ids),
            "/attainment": _attainment(ids),
            "/budget": _budget(random),
            "/boundaries": boundaries.dataset(polygons()),
            "/provenance": _provenance(),
        }
    )


def polygons() -> dict[str, shapely.Polygon]:
    """Return a rectangle of longitude and latitude round every city."""
    return {c[0]: shapely.box(c[3] - 0.35, c[4] - 0.25, c[3] + 0.35, c[4] + 0.25) for c in CITIES}


def _emissions(random, ids, y, x, pattern):
    annual = random.lognormal(8, 1, (len(ids), len(SECTORS), len(POLLUTANTS)))
    daily = np.stack([annual, annual]) * 1000 / 365
    daily[1, : len(ALERTED)] *= 0.75
    field = np.stack([pattern, pattern * 0.8])[:, None] * random.lognormal(5, 1, len(POLLUTANTS))[:, None, None]
    return xr.Dataset(
        {
            "emission_annual": (("city", "sector", "pollutant"), annual),
            "emission_daily": (("case", "city", "sector", "pollutant"), daily),
            "emission_field": (("case", "pollutant", "y", "x"), field),
        },
        coords={"sector": SECTORS, "pollutant": POLLUTANTS},
    )


def _enterprises(random):
    names = ["大唐灞桥热电厂", '=HYPERLINK("http://bad")', "+86水泥厂", "韩城钢铁"]
    annual = random.lognormal(6, 1, (4, len(POLLUTANTS)))
    return xr.Dataset(
        {
            "enterprise_name": ("enterprise", names),
            "enterprise_city": ("enterprise", ["xian", "baoji", "xianyang", "hancheng"]),
            "enterprise_county": ("enterprise", ["灞桥区", "陈仓区", "泾阳县", "韩城市"]),
            "enterprise_sector": ("enterprise", ["power", "industry", "cement", "steel"]),
            "enterprise_grade": ("enterprise", ["A", "C", "B", "B"]),
            "enterprise_quality": ("enterprise", ["derived", "estimated", "derived", "derived"]),
            "enterprise_source": ("enterprise", ["made up"] * 4),
            "enterprise_longitude": ("enterprise", [109.05, 107.3, 108.8, 110.45]),
            "enterprise_latitude": ("enterprise", [34.3, 34.35, 34.5, 35.47]),
            "coal": ("enterprise", [3.1e6, np.nan, 4.2e5, 5.5e6]),
            "emission_annual": (("enterprise", "pollutant"), annual),
            "emission_daily": (("case", "enterprise", "pollutant"), np.stack([annual, annual * 0.7]) / 0.365),
        },
        coords={"enterprise": ["E1", "E2", "E3", "E4"], "pollutant": POLLUTANTS},
    )


def _measures(random):
    n = 40
    return xr.Dataset(
        {
            "row_measure": ("row", [["1-emergency", "2-coal_substitution"][i % 4 // 3] for i in range(n)]),
            "row_kind": ("row", ["emergency"] * n),
            "row_city": ("row", [ALERTED[i % 6] for i in range(n)]),
            "row_sector": ("row", [SECTORS[i % 13] for i in range(n)]),
            "row_source": ("row", ["" for _ in range(n)]),
            "row_pollutant": ("row", [["SO2", "NOx", "PM25", "coal"][i % 4] for i in range(n)]),
            "removed": ("row", random.lognormal(6, 1, n)),
            "row_unit": ("row", [["kg d-1", "kg d-1", "kg d-1", "t"][i % 4] for i in range(n)]),
        }
    )


def _emergency(random, ids, time):
    levels, pollutants = ["orange", "red"], ["SO2", "NOx", "PM", "VOC"]
    required = np.array([0.2, 0.3])[:, None, None] * np.ones((2, len(ids), 4))
    base = random.lognormal(10, 0.4, (1, len(ids), 4)) * np.ones((2, 1, 1))
    share = required * random.normal(1.1, 0.12, required.shape)
    assessed = np.isin(ids, ALERTED)
    share[:, ~assessed] = base[:, ~assessed] = np.nan
    joint = share[..., 0] + share[..., 1]
    reached = share >= required
    reached[..., :2] = (joint >= np.array([0.4, 0.6])[:, None])[..., None]  # SO2 and NOx may trade
    passed = np.where(assessed[:, None], reached, -1)
    joint_required = np.array([0.4, 0.6])[:, None] * np.ones((2, len(ids)))
    start, middle, end = time[len(time) // 4], time[len(time) // 2], time[3 * len(time) // 4]
    return xr.Dataset(
        {
            "base_kg_d": (("level", "city", "pollutant"), base),
            "cut_kg_d": (("level", "city", "pollutant"), base * share),
            "missing_kg_d": (
                ("level", "city", "pollutant"),
                np.where(passed == 0, np.maximum(0, required - share), 0) * base,
            ),
            "share": (("level", "city", "pollutant"), share),
            "required": (("level", "city", "pollutant"), required),
            "pass": (("level", "city", "pollutant"), passed),
            "joint_share": (("level", "city"), joint),
            "joint_required": (("level", "city"), joint_required),
            "joint_pass": (("level", "city"), np.where(assessed, joint >= joint_required, -1)),
            "alert_city": ("alert", [c for c in ALERTED for _ in range(2)]),
            "alert_level": ("alert", ["orange", "red"] * 6),
            "alert_start": ("alert", [start, middle] * 6),
            "alert_end": ("alert", [middle, end] * 6),
        },
        coords={"level": levels, "pollutant": pollutants},
        attrs={
            "illustrative": "yes",
            "plan": "2019",
            "plan_title": "2019 guidance",
            "plan_title_zh": "环办大气函〔2019〕648号",
            "plan_source": "made up",
            "plan_status": "derived",
            "basis": "t/a x 1000 / 365; enterprises by operating days",
        },
    )


def _attribution(time, pm25, ids):
    removed = pm25[0] - pm25[1]
    return xr.Dataset(
        {"pm25_removed": (("step", "time", "city"), np.stack([0.8 * removed, 0.2 * removed]))},
        coords={"step": ["emergency", "coal_substitution"]},
    )


def _coal(random, ids):
    lines = ["base", "growth", "new_projects", "offsets", "substitution", "retirement", "efficiency", "target"]
    sectors = ["power", "heat", "industry", "residential"]
    amount = random.lognormal(13.5, 0.6, (len(lines), len(ids), len(sectors)))
    amount[1:7] *= np.array([0.02, 0.02, -0.015, -0.04, -0.02, -0.01])[:, None, None]
    amount[:, [i for i, c in enumerate(ids) if c not in (*ALERTED, "hancheng", "shangluo")]] = np.nan
    amount[7] = amount[:7].sum(axis=0)
    city = amount.sum(axis=2)
    growth = city[7] / city[0] - 1
    total = np.nansum(city[7]) / np.nansum(city[0]) - 1
    ledger = amount[0][None, :, :, None] * np.array([1.05, 1.03, 1.02, 1.0, 0.98])[:, None, None, None] / 2
    return xr.Dataset(
        {
            "consumption": (("line", "city", "sector"), amount),
            "consumption_tce": (("line", "city", "sector"), amount * 0.7143),
            "ledger": (("year", "city", "sector", "fuel"), np.repeat(ledger, 2, axis=3)),
            "growth": ("city", growth),
            "pass": ("city", np.where(np.isnan(growth), -1, growth < 0)),
            "growth_total": ((), total),
            "pass_total": ((), int(total < 0)),
        },
        coords={"line": lines, "year": np.arange(2015, 2020), "sector": sectors, "fuel": ["raw_coal", "washed_coal"]},
        attrs={
            "base_year": 2018,
            "target_year": 2019,
            "rule": "2018",
            "rule_title_en": "accounting rule of 2018",
            "rule_title_zh": "2018 年核算规则",
            "rule_status": "memory",
            "growth_non_power": -0.05,
            "induced_outside_t": 3.0e4,
            "scope": "whole society, without gangue and feedstock coal",
            "scope_zh": "全社会，不含煤矸石、原料煤",
        },
    )


WINDOW = {"window_start": "2018-12-31T16:00:00", "window_end": "2019-01-03T16:00:00"}


def _transfer(random, ids):
    sources, species = [*ids, "elsewhere", "background"], ["pm25", "bc"]
    share = random.lognormal(0, 1, (len(sources), len(ids))) + 12 * np.eye(len(sources), len(ids))
    tag = 120 * share / share.sum(0)
    parts = np.stack([tag, 0.95 * tag, 0.9 * tag])[:, None] * np.array([1.0, 0.05])[:, None, None]
    return xr.Dataset(
        {
            "contribution": (("approach", "species", "source", "receptor"), parts),
            "total": (("species", "receptor"), parts[0].sum(1)),
            "gas_ratio": ("receptor", np.full(len(ids), 1.7)),
            "interaction": ("receptor", 0.05 * tag.sum(0)),
        },
        coords={"approach": ["tag", "zero_out", "adjoint"], "species": species, "source": sources, "receptor": ids},
        attrs=WINDOW,
    )


def _ranking(random, y, x, pattern):
    precursors, receptors = ["PM25", "SO2", "NOx", "VOC", "NH3"], ["xian", "weinan"]
    group = xr.Dataset(
        {
            "pm25_base": ("receptor", [150.0, 120.0]),
            "pm25_explained": ("receptor", [90.0, 70.0]),
            "impact_field": (("receptor", "y", "x"), np.stack([pattern, pattern])),
            "tonne_field": (
                ("receptor", "pollutant", "y", "x"),
                1e-3 * np.ones((2, 5))[:, :, None, None] * pattern,
            ),
        },
        coords={"receptor": receptors, "pollutant": precursors},
        attrs=WINDOW,
    )
    names = {
        "enterprise": ["大唐灞桥热电厂", '=HYPERLINK("http://bad")', "+86水泥厂", "韩城钢铁"],
        "area": ["民用散煤", "道路扬尘"],
    }
    for dim, kind in (("enterprise", "enterprise"), ("area_source", "area")):
        n = len(names[kind])
        impact = np.sort(random.lognormal(0, 1, (2, n)))[:, ::-1]
        labels = {"name": names[kind], "city": ["xian"] * n, "sector": ["power"] * n}
        if kind == "enterprise":
            group[f"{kind}_longitude"] = (dim, [109.05, 107.3, 108.8, 110.45])
            group[f"{kind}_latitude"] = (dim, [34.3, 34.35, 34.5, 35.47])
        group = group.assign({f"{kind}_{k}": (dim, v) for k, v in labels.items()})
        group[f"{kind}_rank"] = (("receptor", dim), np.tile(np.arange(1, n + 1), (2, 1)))
        group[f"{kind}_impact"] = (("receptor", dim), impact)
        group[f"{kind}_impact_per_tonne"] = (("receptor", dim), impact / 500)
        group[f"{kind}_impact_by_pollutant"] = (("receptor", dim, "pollutant"), np.repeat(impact[..., None] / 5, 5, 2))
        group[f"{kind}_emitted"] = ((dim, "pollutant"), np.full((n, 5), 100.0))
        group = group.assign_coords({dim: [f"{kind}{i}" for i in range(n)]})
    return group


def _plume():
    offset = np.linspace(-10e3, 10e3, 41)
    xx, yy = np.meshgrid(offset, offset)
    bump = [40 * np.exp(-((xx - 3e3 * s) ** 2 + yy**2) / (2 * (2e3 + 1e3 * s) ** 2)) for s in (0, 1)]
    mean = np.stack([np.stack(bump), 0.6 * np.stack(bump)])[:, :, None]
    return xr.Dataset(
        {
            "site_name": ("site", ["西安", "渭南"]),
            "site_city": ("site", ["xian", "weinan"]),
            "site_longitude": ("site", [108.95, 109.5]),
            "site_latitude": ("site", [34.3, 34.5]),
            "concentration_mean": (("case", "site", "pollutant", "y_fine", "x_fine"), mean),
            "concentration_max": (("case", "site", "pollutant", "y_fine", "x_fine"), mean * 9),
            "source_site": ("source", ["xian", "weinan"]),
            "source_name": ("source", ["大唐灞桥热电厂", "渭南某厂"]),
            "source_x": ("source", [0.0, 3e3]),
            "source_y": ("source", [0.0, 0.0]),
        },
        coords={"site": ["xian", "weinan"], "pollutant": ["SO2"], "x_fine": offset, "y_fine": offset},
    )


def _meteorology(random, time, ids, local):
    shape = (len(time), len(ids))
    height = (250 + 500 * np.clip(np.sin(2 * np.pi * (local.hour.to_numpy() - 8) / 24), 0, 1))[:, None] * np.ones(shape)
    wind = random.gamma(2, 0.8, shape)
    return xr.Dataset(
        {
            "wind_speed": (("time", "city"), wind),
            "wind_from_direction": (("time", "city"), random.uniform(0, 360, shape)),
            "air_temperature": (("time", "city"), np.full(shape, 272.0)),
            "relative_humidity": (("time", "city"), np.full(shape, 0.65)),
            "atmosphere_boundary_layer_thickness": (("time", "city"), height),
            "ventilation_coefficient": (("time", "city"), height * wind),
        },
        attrs={"synthetic": "yes", "seed": 20190101, "source": "synthetic winter episode"},
    )


def _evaluation(pm25, ids):
    observed = np.full(len(ids), np.nan)
    observed[: len(ALERTED)] = [139, 92, 95, 137, 133, 128]
    modelled = pm25[0].mean(axis=0)
    share = np.array(list(COMPONENTS.values()))
    return xr.Dataset(
        {
            "observed_mean": (("variable", "city"), observed[None]),
            "modelled_mean": (("variable", "city"), modelled[None]),
            "ratio": (("variable", "city"), (modelled / observed)[None]),
            "observed_diurnal": (("variable", "hour", "city"), np.ones((1, 24, len(ids)))),
            "modelled_diurnal": (("variable", "hour", "city"), np.ones((1, 24, len(ids)))),
            "rank_correlation": ("variable", [0.7]),
            "composition_modelled": (("component", "city"), np.repeat(share[:, None], len(ids), axis=1)),
            "composition_published": ("component", [0.06, 0.2, 0.1, 0.14, 0.2, 0.12, 0.18]),
        },
        coords={"variable": ["pm25"], "hour": np.arange(24), "component": list(COMPONENTS)},
        attrs={"period": "2019-01", "source": "CNEMC public releases"},
    )


def _attainment(ids):
    from airsim.assess.attainment import COMPONENTS

    observed = {c: 100.0 + 5 * i for i, c in enumerate(ids) if c not in ("yangling", "hancheng")}
    season = np.array([observed.get(c, np.nan) for c in ids])
    both = np.stack([season, np.full(len(ids), np.nan)])  # the year is not covered
    left = np.stack([np.full(len(ids), 0.95), np.where(np.isin(ids, ALERTED), 0.8, 0.99)])
    share = np.array([0.35, 0.18, 0.22, 0.12, 0.06, 0.07])[:, None] * np.ones(len(ids))
    return xr.Dataset(
        {
            "share": (("component", "city"), share),
            "rrf": (("response", "component", "city"), np.repeat(left[:, None], len(COMPONENTS), axis=1)),
            "rrf_pm25": (("response", "city"), left),
            "observed_days": (("period", "city"), np.where(np.isfinite(both), 110.0, 0.0)),
            "observed_mean": (("period", "city"), both),
            "projected_mean": (("period", "city"), both * 0.9),
            "observed_heavy_days": (("period", "city"), both * 0 + 20),
            "projected_heavy_days": (("period", "city"), both * 0 + 11),
            "observed_heavy_mean": (("period", "city"), both * 0 + 200),
            "projected_heavy_mean": (("period", "city"), both * 0 + 160),
            "modelled_base": (("response", "city"), left * 0 + 120),
            "modelled_controlled": (("response", "city"), left * 120),
            "response_days": (("response", "city"), np.array([[10.0], [5.0]]) * np.ones(len(ids))),
        },
        coords={"component": list(COMPONENTS), "response": ["permanent", "high_days"], "period": ["season", "year"]},
        attrs={
            "season": "2018-10 .. 2019-03",
            "year": "2019",
            "season_days": 182,
            "year_covered": "no",
            "heavy_above": 150.0,
            "limit_year": 35,
            "standard": "GB3095-2012",
            "composition_source": "made up",
            "composition_own": "",
            "rule": "EPA2018",
            "permanent_steps": "coal_substitution",
            "left_to_high_days": "",
        },
    )


def _budget(random):
    tracer = ["bc", "oc", "pm25_other", "so2", "sulphate"]
    emitted = random.lognormal(15, 1, len(tracer))
    parts = {"emitted": 1.0, "inflow": 0.2, "initial": 0.1, "chemistry": 0.0, "in_air": 0.2, "dry_deposited": 0.1}
    parts |= {"wet_deposited": 0.0, "outflow": 1.0}
    data = {name: ("tracer", emitted * share) for name, share in parts.items()}
    return xr.Dataset(data | {"closure": ("tracer", np.full(len(tracer), 3e-7))}, coords={"tracer": tracer})


def _provenance():
    share = np.array([[0.1], [0.5], [0.4]]) * np.ones((3, len(POLLUTANTS)))
    return xr.Dataset(
        {
            "input_file": (
                "input",
                ["data/emissions/enterprises.csv", "data/emissions/emergency_list.xlsx", "(weather)"],
            ),
            "input_sha256": ("input", ["0" * 64, "f" * 64, ""]),
            "input_kind": ("input", ["derived", "illustrative", "synthetic"]),
            "input_note": ("input", ["from capacity and factors", "the measures are not published", "seeded episode"]),
            "input_note_zh": ("input", ["由装机和排放因子推算", "措施未公开，仅为示意", "由种子生成的合成天气过程"]),
            "package_name": ("package", ["airsim", "numpy"]),
            "package_version": ("package", ["0.1.0", "2.4"]),
            "emission_share": (("quality", "pollutant"), share),
        },
        coords={"quality": ["reported", "derived", "estimated"], "pollutant": POLLUTANTS},
    )
