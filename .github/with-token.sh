#!/usr/bin/env bash
# Runs a command whose git reaches the forge by $TOKEN: by the environment alone, so that no file, no process list and no
# later step has it. An empty header first: it takes the place of one that a checkout has left in the configuration.
set -euo pipefail

credentials="$(printf 'x-access-token:%s' "${TOKEN:?}" | base64 | tr -d '\n')"
unset TOKEN
echo "::add-mask::$credentials" >&2

count="${GIT_CONFIG_COUNT:-0}"
for header in '' "Authorization: basic $credentials"; do
  export "GIT_CONFIG_KEY_$count=http.${GITHUB_SERVER_URL:?}/.extraheader" "GIT_CONFIG_VALUE_$count=$header"
  count=$((count + 1))
done
export GIT_CONFIG_COUNT="$count"
exec "$@"
