import { deepEqual } from 'node:assert/strict'
import { test } from 'node:test'
import { usedImages } from './convention-uses.ts'

const IMAGES = new Map([
  ['team/web:1.0', 'image-web'],
  ['registry.example.org:5000/team/web:1.0', 'image-web'],
  ['team/web:old', 'image-web-old'],
  ['team/website:1.0', 'image-website'],
  ['registry:1', 'image-registry'],
  ['api:latest', 'image-api'],
])

for (const [reference, apps] of [
  ['team/web:1.0', ['image-web']],
  ['team/web:2.0', []],
  ['api', ['image-api']],
  ['team/web:${TAG}', ['image-web', 'image-web-old']],
  ['team/web:$TAG', ['image-web', 'image-web-old']],
  ['team/web:${TAG:-1.0}', ['image-web', 'image-web-old']],
  ['team/web:v${MAJOR}.${MINOR:?which one}', ['image-web', 'image-web-old']],
  ['registry.example.org:5000/team/web:${TAG}', ['image-web']],
  ['api:${TAG}', ['image-api']],
  ['team/other:${TAG}', []],
  ['team/${NAME}:1.0', []],
  ['${REGISTRY}/team/web:${TAG}', []],
  ['registry:${PORT}/team/web:1.0', []],
  ['team/web@${DIGEST}', []],
  ['${IMAGE}', []],
] as const) {
  test(`R54 a stack that runs ${reference} waits for ${apps.join(' and ') || 'no image'}`, () => {
    deepEqual(usedImages([reference, reference], IMAGES), apps)
  })
}
