import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BAD_FRAME } from './errors.ts'
import { TALK_WINDOW_BYTES } from './limits.ts'
import { Talk } from './talk.ts'

/** Two sides, joined as the frames join them. */
function pair(): { here: Talk; there: Talk; sent: () => number } {
  const there: Talk = new Talk({ say: data => here.arrive(data), heard: bytes => here.giveRoom(bytes) })
  let sent = 0
  const here: Talk = new Talk()
  here.attach({
    say: data => {
      sent += Buffer.from(data, 'base64').length
      there.arrive(data)
    },
    heard: bytes => there.giveRoom(bytes),
  })
  return { here, there, sent: () => sent }
}

test('what one side writes the other reads, in its order, however much it is', async () => {
  const { here, there } = pair()
  const all = Buffer.alloc(3 * TALK_WINDOW_BYTES, 'fairlead ')
  const read: Buffer[] = []
  there.on('data', piece => void read.push(piece))
  await new Promise(resolve => here.write(all, resolve))
  here.end()
  there.over()
  await new Promise(resolve => there.once('end', resolve))
  assert.ok(Buffer.concat(read).equals(all))
})

test('who does not read is sent no more than the window, and the rest when they do', async () => {
  const { here, there, sent } = pair()
  let isDone = false
  here.write(Buffer.alloc(TALK_WINDOW_BYTES * 2), () => {
    isDone = true
  })
  assert.deepEqual([sent(), isDone], [TALK_WINDOW_BYTES, false])
  there.resume()
  await new Promise(resolve => here.write('', resolve))
  assert.deepEqual([sent(), isDone], [TALK_WINDOW_BYTES * 2, true])
})

test('what is written before there is a way waits for it', async () => {
  const talk = new Talk()
  const said: string[] = []
  talk.write('early')
  talk.attach({ say: data => void said.push(Buffer.from(data, 'base64').toString()), heard: () => undefined })
  assert.deepEqual(said, ['early'])
})

test('a side that sends more than it may is refused', () => {
  const talk = new Talk({ say: () => undefined, heard: () => undefined })
  const piece = Buffer.alloc(TALK_WINDOW_BYTES).toString('base64')
  talk.arrive(piece)
  assert.throws(() => talk.arrive(Buffer.from('x').toString('base64')), BAD_FRAME.matches)
})
