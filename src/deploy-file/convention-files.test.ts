import { deepEqual, equal } from 'node:assert/strict'
import { describe, test } from 'node:test'
import { conventionFile } from './convention-files.ts'

describe('the names of files', () => {
  test('R23 R24 R25 R45 R46 say what they are, in both spellings', () => {
    const kinds = [
      'a/docker-compose-web.yml',
      'docker-compose.web.yaml',
      'docker-compose-web.json',
      'Dockerfile-web',
      'Dockerfile.web',
      'image-web.json',
      'image.web.json',
      'image.remote-repo.web.json',
      'stack-web.json',
      'stack-definition.shop.json',
      'stack-definition.remote-repo.shop.json',
      'stack-instance.shop.live.json',
      'stack-instance.shop.live.eu.json',
      'simple-stack-instance.web.live.json',
      'simple-stack-instance.remote-repo.web.live.json',
      'repo.code.json',
    ].map(path => {
      const { kind, name, of, suffix, early, remote } = conventionFile(path) ?? {}
      return [kind, name, of, suffix, early && 'early', remote && 'remote'].filter(Boolean).join(' ')
    })
    deepEqual(kinds, [
      'compose web early',
      'compose web',
      'compose web early',
      'dockerfile web early',
      'dockerfile web',
      'image web early',
      'image web',
      'image web remote',
      'stack web early',
      'definition shop',
      'definition shop remote',
      'instance live shop',
      'instance live shop eu',
      'simple-instance live web',
      'simple-instance live web remote',
      'repo code',
    ])
  })

  test('R45 that only resemble them are nothing', () => {
    for (const path of [
      'Dockerfile',
      'docker-compose.yml',
      'Dockerfile.dockerignore',
      'docker-compose..yml',
      'image.a.b.json',
      'stack-definition.a.b.json',
      'xstack-web.json',
      'docker-compose.web.yml.bak',
    ]) {
      equal(conventionFile(path), undefined, path)
    }
  })
})
