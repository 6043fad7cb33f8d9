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

test('a link is read as the file that it leads to, and never leads out of the repository', () => {
  const targets: Record<string, string> = {
    'a/environment.yml': '../shared/environment.yml',
    'a/out.txt': '../../etc/passwd',
    'a/absolute.txt': '/etc/passwd',
    'a/round.txt': 'round.txt',
  }
  const all = [
    ...Object.keys(targets).map(path => ({ path, mode: '120000', oid: path })),
    file('shared/environment.yml'),
  ]
  const texts: Record<string, string> = {
    ...targets,
    'shared/environment.yml': 'name: x',
    '../etc/passwd': 'root',
  }
  const names = Object.keys(targets).map(path => path.slice(2))
  const { folder } = openProject(
    { folder: 'a', files: names.map(path => ({ path, mode: '120000', oid: path })), settings: {} },
    all,
    path => texts[path],
  )
  deepEqual(names.map(folder.text), ['name: x', undefined, undefined, undefined])
})
