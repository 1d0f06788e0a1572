#!/bin/sh
# Rebuild static/vendor/ from npm, pinned by package-lock.json. Needs Node only for this; the result is committed.
# Usage: scripts/vendor.sh          rebuild and write SHA256SUMS
#        scripts/vendor.sh --check  only compare the committed files with SHA256SUMS (no network)
set -eu
cd "$(dirname "$0")/.."
target=static/vendor

if [ "${1:-}" = "--check" ]; then
    cd "$target" && exec sha256sum --check --quiet SHA256SUMS
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json "$work/"
(cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --silent)

rm -rf "$target"
# file in node_modules -> name in static/vendor
while read -r source name; do
    mkdir -p "$target/$(dirname "$name")"
    cp "$work/node_modules/$source" "$target/$name"
done <<'FILES'
@tabler/core/dist/css/tabler.min.css tabler/tabler.min.css
chart.js/dist/chart.umd.min.js chartjs/chart.umd.min.js
chart.js/LICENSE.md chartjs/LICENSE.md
@kurkle/color/LICENSE.md chartjs/LICENSE-kurkle-color.md
sortablejs/Sortable.min.js sortablejs/Sortable.min.js
sortablejs/LICENSE sortablejs/LICENSE
tom-select/dist/js/tom-select.complete.min.js tom-select/tom-select.complete.min.js
tom-select/dist/css/tom-select.bootstrap5.min.css tom-select/tom-select.bootstrap5.min.css
tom-select/LICENSE tom-select/LICENSE
trix/dist/trix.umd.min.js trix/trix.umd.min.js
trix/dist/trix.css trix/trix.css
trix/LICENSE trix/LICENSE
@fontsource-variable/inter/files/inter-latin-wght-normal.woff2 inter/inter-latin-wght-normal.woff2
@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2 inter/inter-latin-ext-wght-normal.woff2
@fontsource-variable/inter/LICENSE inter/LICENSE
FILES

# Tabler and the Bootstrap inside it ship no licence file; both are MIT.
cat > "$target/tabler/LICENSE" <<'MIT'
Tabler: Copyright 2018-2026 The Tabler Authors, Copyright 2018-2026 codecalm.net Paweł Kuna
Bootstrap (inside Tabler): Copyright 2011-2026 The Bootstrap Authors

The MIT License (MIT)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
MIT

# Source maps are not vendored; a reference to one would stop collectstatic.
find "$target" -type f \( -name '*.js' -o -name '*.css' \) -exec \
    sed -i -e '/^\/\/# sourceMappingURL=/d' -e 's#/\*\# sourceMappingURL=[^*]*\*/##' {} +
chmod -R u=rwX,go=rX "$target"

(cd "$target" && find . -type f ! -name SHA256SUMS | LC_ALL=C sort | sed 's#^\./##' | xargs sha256sum > SHA256SUMS)
echo "vendored $(wc -l < "$target/SHA256SUMS") files, $(du -sh "$target" | cut -f1)"
