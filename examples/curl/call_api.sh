#!/bin/sh
# Calls an API with the token of a connection, and prints its reply: ./call_api.sh exact-nl https://…
#
# Takes TOKEN_BROKER_URL (the output ApiUrl of the deployment, or what `npm start` prints), AWS_REGION,
# AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if there is one, AWS_SESSION_TOKEN; curl 7.76 or newer, and jq.
# Ends with curl's status: 22 for a refusal, whose body says why.
set -eu
connection=$1
url=$2
tries="--silent --show-error --fail-with-body --max-time 30"

# Every user of a machine can read a command line, so curl reads keys and tokens from its input.
signed() {
  {
    printf 'user = "%s:%s"\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
    [ -z "${AWS_SESSION_TOKEN:-}" ] || printf 'header = "x-amz-security-token: %s"\n' "$AWS_SESSION_TOKEN"
  } | curl $tries --config - --aws-sigv4 "aws:amz:$AWS_REGION:execute-api" "$@"
}

# A try of its own for what passes by itself: a throttle, or a renewal that is not done yet.
token=$(signed --retry 3 "$TOKEN_BROKER_URL/token/$connection") || { printf '%s\n' "$token" >&2; exit 22; }

api() {
  printf '%s' "$token" | jq -r '.headers | to_entries[] | "header = \("\(.key): \(.value)" | tojson)"' |
    curl --silent --show-error --max-time 30 --config - --write-out '\n%{http_code}\n' "$url"
}

reply=$(api)
if [ "$(printf '%s\n' "$reply" | tail -n 1)" = 401 ]; then
  # Once for each token: the newer one comes back.
  report=$(printf '%s' "$token" | jq -c '{generation, status: 401}')
  token=$(signed --header 'content-type: application/json' --data "$report" \
    "$TOKEN_BROKER_URL/token/$connection/rejections") || { printf '%s\n' "$token" >&2; exit 22; }
  reply=$(api)
fi
status=$(printf '%s\n' "$reply" | tail -n 1)
printf '%s\n' "$reply" | sed '$d'
[ "$status" -lt 400 ] || { printf 'the API answered %s\n' "$status" >&2; exit 22; }
