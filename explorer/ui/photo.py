"""The visitor's image: an upload or a shot, kept for the session, or a sample in the URL."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.errors import ImageError
from explorer.i18n import _
from explorer.images import SAMPLES, open_image, sample_bytes
from explorer.ui.banners import show_error
from explorer.ui.params import choice
from explorer.ui.taking import paste_and_drop
from explorer.ui.text import plain

FILE_TYPES = ["jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "avif", "heic", "heif"]


@dataclass(frozen=True, slots=True)
class Photo:
    """An image that was checked.

    Attributes:
        name: For display.
        data: The file's bytes.
        uploaded: Whether it is the visitor's own.
    """

    name: str
    data: bytes
    uploaded: bool


def choose_photo(dataset: str) -> Photo | None:
    """Draws sample list and uploader; None when the upload cannot be opened (said in the page).

    Args:
        dataset: What the network classifies: decides which samples are offered first.
    """
    kind = "mnist" if dataset == "mnist" else "imagenet"  # photos for all but digits
    samples = {sample.id: _(sample.title) for sample in SAMPLES.values() if sample.dataset == kind}
    chosen = choice("image", _("Sample image"), samples)
    upload = st.file_uploader(
        _("Or your own photo"), FILE_TYPES, key="_uploader", on_change=_keep_upload
    )
    paste_and_drop()
    if st.toggle(_("Take a photo"), key="_camera_on"):
        # Drawn only when asked for: the browser wants a permission as soon as it is there.
        st.camera_input(_("Camera"), key="_camera", on_change=_keep_shot)
    kept: Photo | None = st.session_state.get("_upload")
    if kept is not None and upload is None:
        st.button(
            _("Back to the samples ({name})").format(name=plain(kept.name)), on_click=_drop_upload,
            icon=":material/close:",
        )  # fmt: skip
    photo = kept or Photo(chosen, sample_bytes(chosen), uploaded=False)
    try:
        open_image(photo.data)
    except ImageError as error:
        show_error(error)
        return None
    return photo


def _keep_upload() -> None:
    upload = st.session_state["_uploader"]
    if upload is None:
        st.session_state.pop("_upload", None)
    else:
        st.session_state["_upload"] = Photo(upload.name, upload.getvalue(), uploaded=True)


def _keep_shot() -> None:
    shot = st.session_state["_camera"]
    if shot is None:
        st.session_state.pop("_upload", None)
    else:
        st.session_state["_upload"] = Photo(_("camera"), shot.getvalue(), uploaded=True)


def _drop_upload() -> None:
    st.session_state.pop("_upload", None)
