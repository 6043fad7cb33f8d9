import { deepEqual } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { PACKAGE_ROOT } from '#lib/package-root.ts'

test('R27 the job for GitLab keeps the file that it writes the result into, also when it fails', () => {
  const { deploy } = parse(readFileSync(join(PACKAGE_ROOT, 'examples/ci/gitlab-ci.yml'), 'utf8'))
  const [, written] = /--result (\S+)$/m.exec(deploy.script.join('\n')) ?? []
  deepEqual(deploy.artifacts, { when: 'always', expire_in: '1 week', paths: [written] })
})
