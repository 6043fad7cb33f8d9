import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { openProject } from './open-project.ts'

const file = (path: string) => ({ path, mode: '100644', oid: path })

test('a project sees its own files and what it includes, and reads them from the root of the repository', () => {
  const all = ['reports/churn/x.ipynb', 'shared/lib/a.py', 'shared/other/b.py', 'secret.txt'].map(file)
  const { folder, files } = openProject(
    {
      folder: 'reports/churn',
      files: [file('x.ipynb')],
      settings: { env: { include: ['../../shared/lib', '../../../etc', 'x'] } },
    },
    all,
    path => `text of ${path}`,
  )
  deepEqual(
    files.map(({ path }) => path),
    ['x.ipynb', '../../shared/lib/a.py'],
  )
  equal(folder.text('../../shared/lib/a.py'), 'text of shared/lib/a.py')
  equal(folder.text('x.ipynb'), 'text of reports/churn/x.ipynb')
  equal(folder.text('../../secret.txt'), undefined)
})
