"""Endings of files that are no top-level domains: ``deploy.yaml`` becomes no link, and needs no brackets.

Those that people name in reasons. What is missing here is shown with brackets, so a new top-level domain is
none that anybody could link to before it was thought of. ``.py``, ``.sh``, ``.rs``, ``.md``, ``.zip``,
``.java`` and ``.tf`` are top-level domains. A test compares them with the list of all. In: nothing. Out: a
set.
"""

from __future__ import annotations

_CODE = """
bash bat class cmake cmd cpp cs cjs css dart dll erb ex exe exs gemspec go gradle graphql groovy hpp hs htm
html ipynb jar jl js jsx kt kts lua mjs mod nim php proto ps1 rb rego scala scss sed sln sql sum swift thrift
ts tsx vue war wasm zsh
"""
_SETTINGS = """
cfg conf config csproj cue dockerfile dockerignore env gitignore hcl ini j2 jinja json jsonl jsonnet ldif
libsonnet lock ndjson nomad plist service sock socket tfstate tfvars timer tmpl toml tpl xml yaml yml
"""
_TEXTS = """
adoc csv diff doc docx eml err ics log msg odt orig out patch pdf ppt pptx rst rtf tex tsv txt vcf xls xlsx
"""
_KEYS = "asc cer crt csr gpg jks key p12 pem pfx sha256 sig"
_PACKED = "7z bz2 deb dmg gz iso msi rar rpm tar tgz xz zst"
_DATA = """
avro avsc bak bmp db dump gif har heap hprof ico img jfr jpeg jpg mkv mp3 mp4 orc parquet pcap png rdb sqlite
svg swp tmp vhd wav webm webp
"""
FILE_ENDINGS = frozenset(f"{_CODE} {_SETTINGS} {_TEXTS} {_KEYS} {_PACKED} {_DATA}".split())
"""Without the dot, in small letters."""
