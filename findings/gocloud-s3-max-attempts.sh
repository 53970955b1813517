#!/usr/bin/env bash
# gocloud.dev v0.49.0, blob opened by an s3:// URL: AWS_MAX_ATTEMPTS has no effect.
#
# Guessed: the URL opener loads the AWS SDK's default configuration, so the variables that the SDK reads hold for it too.
#          AWS_REGION and AWS_ACCESS_KEY_ID do hold.
# Seen:    the opener always hands in a retryer of its own, made of the SDK's built-in values. AWS_MAX_ATTEMPTS is not asked:
#          three attempts, whatever it says, while the SDK itself with the same environment makes one. No URL parameter changes it either.
# Matters: a service that must answer within its budget turns repetition off by the variable, tests it with the SDK, and still waits for
#          three attempts. A bucket that s3blob.OpenBucket makes of the SDK's client obeys.
#
# Versions: gocloud.dev v0.49.0 with the aws-sdk-go-v2 that it asks for. Talks to a local server only, which answers every request with 503.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOFLAGS=-mod=mod GOWORK=off

cat >main.go <<'EOF'
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

func main() {
	var attempts atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		attempts.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer srv.Close()
	ctx := context.Background()
	for _, max := range []string{"1", "2"} {
		os.Setenv("AWS_MAX_ATTEMPTS", max)

		cfg, err := config.LoadDefaultConfig(ctx)
		check(err)
		client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.BaseEndpoint, o.UsePathStyle = aws.String(srv.URL), true })
		read := func(bucket *blob.Bucket, err error) int64 {
			check(err)
			if _, err := bucket.ReadAll(ctx, "k"); err == nil {
				panic("an object was read from a server that has none")
			}
			check(bucket.Close())
			return attempts.Swap(0)
		}
		byClient := read(s3blob.OpenBucket(ctx, client, "b", nil))
		byURL := read(blob.OpenBucket(ctx, "s3://b?use_path_style=true&endpoint="+srv.URL))
		fmt.Printf("AWS_MAX_ATTEMPTS=%s: attempts with the SDK's client %d, by URL %d\n", max, byClient, byURL)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
EOF
go mod init probe 2>/dev/null
go get gocloud.dev@v0.49.0 2>/dev/null
export AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none"
seen=$(go run .)

expected='AWS_MAX_ATTEMPTS=1: attempts with the SDK'\''s client 1, by URL 3
AWS_MAX_ATTEMPTS=2: attempts with the SDK'\''s client 2, by URL 3'
echo "version: $(go list -m gocloud.dev), $(go list -m github.com/aws/aws-sdk-go-v2)"
echo "guessed: both make as many attempts as AWS_MAX_ATTEMPTS says"
echo "seen:    ${seen//$'\n'/$'\n'         }"
[ "$seen" = "$expected" ] || { echo "CHANGED: this finding no longer holds" >&2; exit 1; }
