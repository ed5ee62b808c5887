"""`python -m tools.limits`: writes table.json anew from the installed botocore."""

from tools.limits.check import FILE, generated

if __name__ == "__main__":
    FILE.write_text(generated(), encoding="utf-8")
