import pytest

from tests.approvals.review import scene as the_scene


@pytest.fixture
def scene(db: None) -> the_scene.Scene:
    return the_scene.scene()
