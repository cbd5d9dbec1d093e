from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evoengine.stores.sqlite import Sqlite
from evoengine.testing import StoreContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Sqlite]:
        made = Sqlite(url=f"sqlite:///{tmp_path}/evo.db")
        made.open()
        yield made
        made.close()
