"""Trees like those below /proc and /sys, made of what the kernel's documentation and drivers show."""

from __future__ import annotations

from pathlib import Path

I915 = """pos:\t0
flags:\t0100002
drm-driver:\ti915
drm-client-id:\t7
drm-pdev:\t0000:00:02.0
drm-total-system0:\t4 MiB
drm-shared-system0:\t1 MiB
drm-active-system0:\t0
drm-resident-system0:\t3 MiB
drm-purgeable-system0:\t128 KiB
drm-total-stolen-system0:\t0
drm-resident-stolen-system0:\t0
drm-engine-render:\t{render} ns
drm-engine-copy:\t0 ns
drm-engine-video:\t0 ns
drm-engine-capacity-video:\t2
drm-engine-video-enhance:\t{enhance} ns
"""

XE = """pos:\t0
drm-driver:\txe
drm-client-id:\t3
drm-pdev:\t0000:03:00.0
drm-total-system:\t0
drm-resident-system:\t0
drm-total-gtt:\t192 KiB
drm-resident-gtt:\t192 KiB
drm-total-vram0:\t23992 KiB
drm-shared-vram0:\t16 MiB
drm-active-vram0:\t0
drm-resident-vram0:\t23992 KiB
drm-cycles-rcs:\t{rcs}
drm-total-cycles-rcs:\t{total}
drm-cycles-ccs:\t{ccs}
drm-total-cycles-ccs:\t{total}
drm-engine-capacity-ccs:\t4
"""

AMDGPU = """pos:\t0
pasid:\t32770
drm-driver:\tamdgpu
drm-client-id:\t{client}
drm-pdev:\t0000:c1:00.0
drm-total-vram:\t20480 KiB
drm-memory-vram:\t10240 KiB
drm-memory-gtt:\t2048 KiB
drm-memory-cpu:\t0 KiB
amd-requested-vram:\t20480 KiB
drm-engine-gfx:\t{gfx} ns
drm-engine-compute:\t{compute} ns
"""

XDNA = """drm-driver:\tamdxdna_accel_driver
drm-client-id:\t1
drm-pdev:\t0000:c4:00.1
drm-engine-npu-amdxdna:\t{npu} ns
drm-total-memory:\t512 KiB
drm-shared-memory:\t0
drm-active-memory:\t0
"""


class Tree:
    """A folder to write such files into."""

    def __init__(self, root: Path) -> None:
        self.proc, self.sys = root / "proc", root / "sys"

    def fdinfo(self, descriptor: int, text: str) -> None:
        """Write what the kernel tells of an open descriptor."""
        folder = self.proc / "self" / "fdinfo"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / str(descriptor)).write_text(text, encoding="utf-8")

    def close(self, descriptor: int) -> None:
        """Close a descriptor."""
        (self.proc / "self" / "fdinfo" / str(descriptor)).unlink()

    def device(self, kind: str, name: str, address: str, **files: object) -> Path:
        """Write files of the device behind /sys/class/`kind`/`name`, a link as there, and return its folder."""
        folder = self.sys / "devices" / "pci0000:00" / address
        folder.mkdir(parents=True, exist_ok=True)
        for file_name, value in files.items():
            (folder / file_name).write_text(f"{value}\n", encoding="utf-8")
        entry = self.sys / "class" / kind / name
        entry.mkdir(parents=True, exist_ok=True)
        if not (entry / "device").exists():
            (entry / "device").symlink_to(folder)
        return folder

    def status(self, **sizes: str) -> None:
        """Write the sizes of the process."""
        (self.proc / "self").mkdir(parents=True, exist_ok=True)
        lines = [f"{key}:\t{value}\n" for key, value in {"Name": "python", **sizes}.items()]
        (self.proc / "self" / "status").write_text("".join(lines), encoding="utf-8")
