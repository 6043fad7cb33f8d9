import assert from 'node:assert/strict'
import { test } from 'node:test'
import { programText } from './program-text.ts'

const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0'

test('a session is told by browser and system, and other programs by their own name', () => {
  const texts = [
    `Mozilla/5.0 (X11; Linux x86_64) ${CHROME} Safari/537.36`,
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/156.0.0.0`,
    `Mozilla/5.0 (Linux; Android 16) ${CHROME} Mobile Safari/537.36`,
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/156.0 Mobile Safari/604.1',
    'Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0',
    'fairlead/0.1.0',
    '',
  ].map(programText)
  assert.deepEqual(texts, [
    'Chrome on Linux',
    'Edge on Windows',
    'Chrome on Android',
    'Safari on macOS',
    'Chrome on iOS',
    'Firefox on Linux',
    'fairlead/0.1.0',
    'Unknown program',
  ])
})
