"""The one room that knows both a scenario and the science: `Case` makes what a scenario names, each thing once."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from airsim.case import parts, provenance
from airsim.case.measures import plan_of, response
from airsim.case.parts import BACKGROUND, Observed
from airsim.clock import ZONE
from airsim.errors import CannotWrite, InputError, Problem
from airsim.scenario import Scenario
from airsim.tables import Note, heard

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

    from airsim.coal.plan import Plan, Stages
    from airsim.geography import Geography
    from airsim.inventory import Inventory
    from airsim.inventory.gridding import GriddedEmissions
    from airsim.region import Transport
    from airsim.region.air import Air
    from airsim.region.operator import Operator
    from airsim.response.effect import Response
    from airsim.result.groups import Input

__all__ = ["BACKGROUND", "Case", "Observed", "plan_of", "transport"]


class Maker(Protocol):
    """Whoever makes the parts that many scenarios may share: `airsim.case.parts`, or `airsim.case.shared.Shared`."""

    def place(self, scenario: Scenario) -> Geography:
        """Return the grid and what stands on it."""

    def inventory(self, scenario: Scenario, place: Geography) -> Inventory:
        """Return the base inventory."""

    def weather(self, scenario: Scenario, place: Geography) -> xr.Dataset:
        """Return the weather of the spin-up and the period."""


class Case:
    """What a scenario names, made when it is first asked for and then kept.

    Parameters
    ----------
    scenario : Scenario
    shared : Maker, optional
        Makes place, base inventory and weather once for many scenarios; without it they are made for this one.
    known : mutable mapping, optional
        Remembers what measures made of one base inventory, see `airsim.coal.plan.carry_out`.

    Raises
    ------
    InputError
        From each property: whatever is wrong with the files behind it.  `refuse_early` asks for everything that can be
        known before the weather is made.
    """

    def __init__(
        self, scenario: Scenario, shared: Maker | None = None, known: MutableMapping[str, Any] | None = None
    ) -> None:
        self.scenario = scenario
        self._make: Maker = shared if shared is not None else parts
        self._known = known
        self._sound: set[Path | None] = set()
        self._heard: list[Note] = []

    # ------------------------------------------------------------------------------------ cheap, before the weather

    @cached_property
    def place(self) -> Geography:
        """The grid and what stands on it."""
        return self._make.place(self.scenario)

    @cached_property
    def inventory(self) -> Inventory:
        """The base inventory, read and checked."""
        return self._make.inventory(self.scenario, self.place)

    @cached_property
    def plan(self) -> Plan:
        """The measures and the coal block."""
        return plan_of(self.scenario)

    @cached_property
    def stages(self) -> Stages:
        """What the measures make of the base inventory, in their order."""
        from airsim.coal.plan import carry_out

        return carry_out(self.plan, self.inventory, self._known)

    @property
    def inventories(self) -> dict[str, Inventory]:
        """The inventory of the base and after each step of measures, by name."""
        return {"base": self.inventory, **{s.name: s.inventory for s in self.stages.steps}}

    @property
    def last(self) -> str:
        """Name of the last step, ``base`` where there are no measures."""
        return self.stages.steps[-1].name if self.stages.steps else "base"

    @cached_property
    def background(self) -> np.ndarray:
        """The air that flows in, (level, tracer) [ug m-3]."""
        return parts.background(self.scenario, self.place)

    @cached_property
    def near_field(self) -> dict[str, Any]:
        """The arguments of the near field; empty without the block."""
        return parts.near_field(self.scenario, self.inventory)

    @cached_property
    def observations(self) -> Observed | None:
        """The observations beside the model, None without any."""
        return parts.observations(self.scenario)

    @cached_property
    def response(self) -> Response | None:
        """The first emergency response, None without one."""
        return response(self.stages)

    @cached_property
    def compliance(self) -> xr.Dataset | None:
        """Shares of the first emergency measure's list at every level, and its alerts; None without a list."""
        return parts.compliance(self.stages.lists, self.inventory) if self.stages.lists else None

    @cached_property
    def coal(self) -> xr.Dataset:
        """The coal balance with its tests."""
        from airsim.coal.cap import cap_of

        return cap_of(self.stages)

    @property
    def kept(self) -> range:
        """Positions of the hours of the period among those of the weather."""
        period = self.scenario.period
        return range(period.spin_up_hours, period.spin_up_hours + period.hours)

    @property
    def inputs(self) -> list[Input]:
        """Every file that determines the result, with what kind of figures it holds."""
        return provenance.inputs(self.scenario, self.stages.lists)

    @property
    def notes(self) -> list[Note]:
        """What the scenario and its files hold that was not used, assumed or doubtful; whole after `refuse_early`."""
        said: list[Note | Problem] = [*self.scenario.notes(), *self.inventory.notes]
        for _, list_ in self.stages.lists:
            said += list_.notes
        if self.observations is not None:
            said += self.observations.notes
        told = [Note(n.text("zh"), n.text("en")) for n in (*said, *self._heard)]
        return list(dict.fromkeys(told))

    def refuse_early(self, out: Path | None = None, *, method: str = "full", overwrite: bool = False) -> None:
        """Find everything that is wrong with the scenario's files and measures, before anything takes long.

        Parameters
        ----------
        out : Path, optional
            Folder of the results: it must be one that can be written, and may not hold another scenario's.
        method : {"full", "operator"}
            How the result will be made.
        overwrite : bool
            Replace another scenario's result.

        Raises
        ------
        InputError
            All problems together, each once.
        CannotWrite
            A file of the results is held open by another program.
        """
        if out in self._sound:
            return
        from airsim import rules
        from airsim.region.receptors import cities

        asked, start = self.scenario, self.scenario.period.start.date()
        ranked = None if asked.joint_control is None else asked.joint_control.rank
        # what is made, and what must be sound for it: a broken table is told once, not by everything that needs it
        steps: list[tuple[str, str, Callable[[], Any]]] = [
            ("out", "", lambda: None if out is None else self._refuse_folder(out, method, overwrite)),
            ("place", "", lambda: self.place),
            ("inventory", "place", lambda: self.inventory),
            ("background", "place", lambda: self.background),
            ("receptors", "place", lambda: cities(self.place, ranked) if ranked else None),
            ("near_field", "inventory", lambda: (rules.load("air_quality", date=start), self.near_field)),
            ("observations", "", lambda: self.observations),
            ("measures", "inventory", lambda: self.stages),
            ("compliance", "measures", lambda: (self.compliance, self.response)),
            ("coal", "measures", lambda: self.coal if asked.coal is not None else None),
            ("weather", "place", lambda: parts.examine_weather(asked, self.place)),
        ]
        problems: list[Problem] = []
        failed: set[str] = set()
        with heard() as notes:
            for name, needed, make in steps:
                if needed in failed:
                    failed.add(name)
                    continue
                try:
                    make()
                except CannotWrite:
                    raise
                except InputError as error:
                    failed.add(name)
                    problems += [p for p in error.problems if p not in problems]
        self._heard += notes
        if problems:
            raise InputError(problems)
        self._sound.add(out)

    def _refuse_folder(self, out: Path, method: str, overwrite: bool) -> None:
        from airsim.result import folder

        asked = self.scenario
        read = [f.path for f in asked.files()]
        folder.refuse(out, file=asked.file, name=asked.name, method=method, inputs=read, overwrite=overwrite)
        _writable(out)

    def refuse_parts_of_days(self) -> None:
        """Complain of a period that does not begin and end at a Beijing midnight: the operator holds daily means.

        Raises
        ------
        InputError
            Start or end is at another hour.
        """
        scenario = self.scenario
        wrong = [
            Problem(
                scenario.file, scenario.line("period", key), f"period.{key}", f"{local:%Y-%m-%d %H:%M}",
                "must be a Beijing midnight: the stored operator holds daily means",
                "须为北京时间零点：已存算子只含日均值",
            )
            for key in ("start", "end")
            if (local := getattr(scenario.period, key).astimezone(ZONE)).hour
        ]  # fmt: skip
        if wrong:
            raise InputError(wrong)

    # ------------------------------------------------------------------------------------ the weather and after

    @cached_property
    def weather(self) -> xr.Dataset:
        """The weather of the spin-up and the period."""
        return self._make.weather(self.scenario, self.place)

    @cached_property
    def air(self) -> Air:
        """The weather and what flows in, ready to carry emissions."""
        from airsim.region.air import Air

        return Air(self.place, self.weather, self.background, self.scenario.period.spin_up_hours)

    @cached_property
    def gridded(self) -> dict[str, GriddedEmissions]:
        """The emissions of the base and after each step of measures on the grid, by name."""
        from airsim.inventory import grid

        return {name: grid(i, self.place, self.weather) for name, i in self.inventories.items()}

    @cached_property
    def transport(self) -> Transport:
        """The transport of the region model under the case's weather."""
        from airsim.region import Transport

        return Transport(self.place.grid, self.weather)

    def operator(
        self, folder: Path, *, block: int | None = 24, progress: Callable[[int, int], None] | None = None
    ) -> Operator:
        """Return the stored operator for the cities, made first if it is not in the cache.

        Parameters
        ----------
        folder : Path
            The cache.
        block : int or None
            Hours of each mean, the first beginning with the period; None for the whole period.
        progress : callable, optional
            ``progress(hours done, hours)`` of the making.
        """
        from airsim.assess.by_operator import operator_of

        return operator_of(
            self.place, self.transport, self.gridded["base"], self.background, self.kept, folder,
            block=block, progress=progress,
        )  # fmt: skip

    def ranking(
        self,
        names: Sequence[str],
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> xr.Dataset:
        """Rank the sources of the base case for some cities; see `airsim.assess.ranking.rank`.

        Parameters
        ----------
        names : sequence of str
            City ids.
        start, end : datetime64, optional
            Window of the mean [UTC]; the whole period by default.
        progress : callable, optional
            ``progress(done, all)``.
        """
        from airsim.assess.ranking import rank
        from airsim.region.receptors import cities

        cities(self.place, names)  # an unknown city is told before anything takes long
        transport, gridded, hours = self._until(start, end)
        return rank(self.place, transport, gridded, self.background, hours, names, progress=progress)

    def transfer(
        self,
        start: np.datetime64 | None = None,
        end: np.datetime64 | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> xr.Dataset:
        """Return the transfer matrix of the base case; arguments as for `ranking`, see `airsim.assess.transfer`."""
        from airsim.assess.transfer import transfer

        transport, gridded, hours = self._until(start, end)
        return transfer(self.place, transport, gridded, self.background, hours, progress=progress)[0]

    def _until(
        self, start: np.datetime64 | None, end: np.datetime64 | None
    ) -> tuple[Transport, GriddedEmissions, range]:
        """Return transport and base emissions up to the end of a window, and its hours: later air can't matter."""
        from airsim.inventory import grid
        from airsim.region import Transport
        from airsim.region.receptors import window

        time = self.weather["time"].values
        hours = window(time, time[self.kept.start] if start is None else start, end)
        weather = self.weather.isel(time=slice(0, hours.stop))
        return Transport(self.place.grid, weather), grid(self.inventory, self.place, weather), hours


def _writable(folder: Path) -> None:
    """Complain of a folder of results that cannot be made or written; nothing is left behind."""
    import tempfile

    there = folder.resolve()
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        # files are written beside the folder and moved into it
        for place in {there, folder.resolve().parent} if there == folder.resolve() else {there}:
            with tempfile.TemporaryFile(dir=place):
                pass
    except OSError as error:
        said = error.strerror or str(error)
        raise InputError(
            [Problem("--out", "", "", str(folder), f"cannot be written: {said}", f"无法写入：{said}")]
        ) from error


def transport(scenario: Scenario, dtype: str = "float32") -> Transport:
    """Return the transport operator of a scenario's place and weather, spin-up included.

    Parameters
    ----------
    scenario : Scenario
        From `airsim.load`.
    dtype : {"float32", "float64"}
        Precision of the state.

    Raises
    ------
    InputError
        The domain or the weather can't be used.
    """
    from airsim.region import Transport

    case = Case(scenario)
    return Transport(case.place.grid, case.weather, dtype=dtype)
