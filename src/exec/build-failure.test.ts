import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildFailure } from './build-failure.ts'

/** What engines said (20.10, 26, 28), and what it is. */
const SAID: readonly (readonly [string, string])[] = [
  ['executor failed running [/bin/sh -c false]: exit code: 1', 'BUILD_FAILED'],
  ['failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1', 'BUILD_FAILED'],
  ['failed to compute cache key: "/nope" not found: not found', 'BUILD_FAILED'],
  ['target stage nope could not be found', 'BUILD_FAILED'],
  ['dockerfile parse error line 2: unknown instruction: FOO', 'DOCKERFILE_INVALID'],
  ['failed to solve: dockerfile parse error on line 2: unknown instruction: FOO', 'DOCKERFILE_INVALID'],
  ['the Dockerfile cannot be empty', 'DOCKERFILE_INVALID'],
  ['failed to solve: file with no instructions', 'DOCKERFILE_INVALID'],
  [
    'failed to solve: failed to read dockerfile: open Dockerfile: no such file or directory',
    'DOCKERFILE_MISSING',
  ],
  [
    'failed to solve: alpine:nope: failed to resolve source metadata for docker.io/x',
    'BASE_IMAGE_UNAVAILABLE',
  ],
  ['pull access denied, repository does not exist or may require authorization', 'BASE_IMAGE_UNAVAILABLE'],
  ['failed to do request: Head "https://r/v2/": dial tcp: no such host', 'BASE_IMAGE_UNAVAILABLE'],
  ['failed to authorize: failed to fetch oauth token', 'BASE_IMAGE_UNAVAILABLE'],
  ['write /var/lib/docker/tmp/x: no space left on device', 'DISK_FULL'],
  ['failed to copy files: copy file range failed: no space left on device', 'DISK_FULL'],
]

for (const [message, code] of SAID) {
  test(`"${message}" is ${code}`, () => {
    const error = buildFailure({ message, dockerfile: 'Dockerfile', step: '[1/1] RUN x', lines: ['a'] })
    assert.equal(error.code, code)
    assert.deepEqual(error.facts?.log, ['a'])
    assert.ok(error.hint.length > 20)
  })
}

test('whatever goes wrong while a base image is looked up is BASE_IMAGE_UNAVAILABLE', () => {
  const step = '[internal] load metadata for example.org/x:1'
  const error = buildFailure({
    message: 'example.org/x:1: not found',
    dockerfile: 'Dockerfile',
    step,
    lines: [],
  })
  assert.equal(error.code, 'BASE_IMAGE_UNAVAILABLE')
})

test('the layers of the engine that an error came through are not in the reason', () => {
  const message =
    'failed to solve with frontend dockerfile.v0: failed to build LLB: executor failed running [x]: exit code: 2'
  const error = buildFailure({ message, dockerfile: 'Dockerfile', step: '[2/2] RUN x', lines: [] })
  assert.equal(
    error.message,
    'The image could not be built at [2/2] RUN x: executor failed running [x]: exit code: 2',
  )
})
