import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseImages } from '#formats/dockerfile-images.ts'
import { exposedPort } from './dockerfile.ts'

const DOCKERFILE = [
  '# syntax=docker/dockerfile:1',
  'ARG TAG="26"',
  'ARG REGISTRY',
  'FROM --platform=linux/amd64 node:${TAG} AS build',
  'ARG TAG=ignored',
  'RUN npm ci \\',
  '  # FROM a-comment',
  '  && FROM=x true',
  'FROM ${REGISTRY:-docker.io}/base:1 AS Slim',
  'FROM slim',
  'FROM scratch',
  'FROM $UNKNOWN',
  'from build',
].join('\n')

test('base images are those that are not stages of the file itself, with arguments filled in', () => {
  assert.deepEqual(baseImages(DOCKERFILE, {}), ['node:26', 'docker.io/base:1'])
  assert.deepEqual(baseImages(DOCKERFILE, { TAG: '27', REGISTRY: 'r.example:5000' }), [
    'node:27',
    'r.example:5000/base:1',
  ])
})

for (const [text, port] of [
  ['FROM a\nEXPOSE 3000', 3000],
  ['FROM a\r\nEXPOSE 3000/tcp 4000\r\n', 3000],
  ['FROM a\nEXPOSE 53/udp 80', 80],
  ['FROM a\nEXPOSE 80\nFROM b', undefined],
  ['FROM a\nEXPOSE $PORT', undefined],
  ['FROM a\nEXPOSE 99999', undefined],
  ['FROM a\nRUN echo \\\n EXPOSE 80', undefined],
  ['', undefined],
] as const) {
  test(`the port that ${JSON.stringify(text)} exposes is ${port}`, () => {
    assert.equal(exposedPort(text), port)
  })
}
