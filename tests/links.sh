#!/bin/sh
# Every inner link of the built site, raw HTML and fragments included, under the path it will have.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
site=$(sed -n 's/^site_url = "\(.*\)\/"$/\1/p' "$root/kit.toml")
path=${site#*://*/}
mkdir -p "$stage/$path"
cp -r "$root/build/site/." "$stage/$path/"
"$root/.venv/bin/lychee" --offline --no-progress --quiet --include-fragments --index-files index.html \
  --root-dir "$stage" --remap "^$site/ file://$stage/$path/" "$stage/**/*.html"
