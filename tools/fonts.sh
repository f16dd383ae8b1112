#!/bin/sh
# PDFs need a Chinese font of the system. Installs one where that is possible, else says how; nothing else depends on it.
found() {
    if command -v fc-list >/dev/null 2>&1; then
        fc-list :lang=zh family | grep -q .
    else
        find /usr/share/fonts /usr/local/share/fonts "$HOME/.local/share/fonts" /Library/Fonts /System/Library/Fonts \
            \( -iname '*cjk*' -o -iname '*wqy*' -o -iname '*pingfang*' -o -iname '*simsun*' -o -iname '*songti*' \) 2>/dev/null | grep -q .
    fi
}
found && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    export DEBIAN_FRONTEND=noninteractive
    (apt-get install -y -qq --no-install-recommends fonts-noto-cjk || {
        apt-get update -qq && apt-get install -y -qq --no-install-recommends fonts-noto-cjk
    }) >/dev/null 2>&1
fi
found || echo "No Chinese font found: PDFs need one (Debian, Ubuntu: apt-get install fonts-noto-cjk)." >&2
exit 0
