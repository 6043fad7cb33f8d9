import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { scanNotebooks } from './scan.ts'
import { settingsFindings } from './settings-findings.ts'

/** Of docs: everything that nb.yaml may say. */
const EXAMPLE = `version: 1
title: Churn analysis
slug: churn
entry: analysis.ipynb
mode: lab
env: { pack: auto, python: "3.12", base: default, shared: false, include: ["../../shared/lib"], extras: [plots], compat: extended }
build: { timeout: 20m, memory: 4g, network: index-only, postBuild: { inputs: [models.lock] } }
run: { memory: 2g, cpus: 2, pids: 256, shm: 256m, gpu: none, egress: false, env: { REGION: sa-east-1 }, secrets: [db-readonly],
       idle: { kernel: 30m, server: 2h, max: 24h }, volumes: [ { name: work, path: /srv/work, size: 5g } ] }
access: { auth: sso, groups: [data], trust: team }
preview: { enabled: true, thumbnail: thumbnails/analysis.png, execute: false }
tags: [marketing]
`

function findingsOf(files: Readonly<Record<string, string>>) {
  const text = (path: string) => files[path]
  const tree = Object.keys(files).map(path => ({ path, mode: '100644', oid: '' }))
  const { projects, problems } = scanNotebooks({ files: tree, text, repositoryName: 'shop' })
  deepEqual(problems, [])
  const [project] = projects
  const { problems: refused, warnings } = settingsFindings(project ?? { folder: '', settings: {} }, text)
  const words = (found: typeof refused) => found.map(({ code, file, line }) => `${file}:${line} ${code}`)
  return { refused: words(refused), warnings: words(warnings) }
}

test('a file that says everything is read, and what is not done is told with its line', () => {
  deepEqual(findingsOf({ 'reports/churn/nb.yaml': EXAMPLE, 'reports/churn/analysis.ipynb': '{}' }), {
    refused: ['nb.yaml:8 EGRESS_UNSUPPORTED', 'nb.yaml:10 GROUPS_UNSUPPORTED'],
    warnings: [
      'nb.yaml:7 BUILD_MEMORY_UNSUPPORTED',
      'nb.yaml:7 BUILD_NETWORK_UNSUPPORTED',
      'nb.yaml:9 VOLUME_SIZE_UNSUPPORTED',
    ],
  })
})

test('what one file says for all projects is found there', () => {
  const { refused } = findingsOf({
    'notebooks.yaml': 'version: 1\ndefaults:\n  run: { egress: false }\n',
    'reports/churn/nb.yaml': '',
    'reports/churn/a.ipynb': '{}',
  })
  equal(refused[0], '../../notebooks.yaml:3 EGRESS_UNSUPPORTED')
})

test('who wants what is not done is told so, and the project is served', () => {
  const text =
    'env: { shared: true }\nrun: { gpu: all }\naccess: { auth: none }\npreview: { enabled: false, execute: true }\n'
  deepEqual(findingsOf({ 'a/nb.yaml': text, 'a/a.ipynb': '{}' }), {
    refused: [],
    warnings: [
      'nb.yaml:1 SHARED_UNSUPPORTED',
      'nb.yaml:2 GPU_UNSUPPORTED',
      'nb.yaml:3 ALWAYS_GUARDED',
      'nb.yaml:4 PREVIEW_ALWAYS',
      'nb.yaml:4 PREVIEW_NOT_EXECUTED',
    ],
  })
})

test('settings that are kept to have no finding', () => {
  const text =
    'run: { egress: true, gpu: none, volumes: [{ name: work, path: /srv/work }] }\naccess: { auth: sso, trust: isolated }\nenv: { shared: false }\nbuild: { timeout: 20m }\n'
  deepEqual(findingsOf({ 'a/nb.yaml': text, 'a/a.ipynb': '{}' }), { refused: [], warnings: [] })
})
