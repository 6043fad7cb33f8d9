import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { type Addition, appendedConfig } from './append-config.ts'

const ADDITION: Addition = {
  diffId: 'sha256:two',
  folder: '/srv/project',
  labels: { mine: '1' },
  stage: {
    variables: { B: 'b=1' },
    lateVariables: { NB_START_HOOK: '/srv/project/start' },
    path: ['/opt/x/bin'],
    steps: [],
  },
  createdMs: 0,
}
const IMAGE = {
  architecture: 'amd64',
  config: { User: '1000', Env: ['PATH=/bin', 'B=a'], Labels: { base: '1' }, Cmd: ['nb-serve'] },
  rootfs: { type: 'layers', diff_ids: ['sha256:one'] },
  history: [{ created_by: 'x' }],
}

test('an appended layer keeps what the image is and sets what the last stage would have set', () => {
  deepEqual(JSON.parse(appendedConfig(IMAGE, ADDITION) ?? ''), {
    architecture: 'amd64',
    created: '1970-01-01T00:00:00.000Z',
    config: {
      User: '1000',
      Env: ['PATH=/opt/x/bin:/bin', 'B=b=1', 'NB_START_HOOK=/srv/project/start'],
      Labels: { base: '1', mine: '1' },
      Cmd: ['nb-serve'],
      WorkingDir: '/srv/project',
    },
    rootfs: { type: 'layers', diff_ids: ['sha256:one', 'sha256:two'] },
    history: [
      { created_by: 'x' },
      { created: '1970-01-01T00:00:00.000Z', created_by: 'COPY . /srv/project' },
    ],
  })
})

test('what is no configuration of an image is not appended to', () => {
  for (const config of [undefined, null, {}, { rootfs: {} }]) {
    equal(appendedConfig(config, ADDITION), undefined)
  }
})
