import pytest

from journeylab.base.files import fingerprint, replaced, write_text


def write_half(path):
    with replaced(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("cut off")


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = write_text(tmp_path / "kept.txt", "old")
    with pytest.raises(RuntimeError, match="cut off"):
        write_half(path)
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]


def test_a_write_makes_the_folders_it_needs(tmp_path):
    assert write_text(tmp_path / "a" / "b" / "new.txt", "ü\n").read_bytes() == b"\xc3\xbc\n"


def test_the_fingerprint_tells_content_not_names(tmp_path):
    one, same = write_text(tmp_path / "1", "text"), write_text(tmp_path / "2", "text")
    assert fingerprint(one) == fingerprint(same) == fingerprint([one])
    assert fingerprint(one) != fingerprint(write_text(tmp_path / "3", "other"))


def test_the_fingerprint_keeps_parts_apart():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
