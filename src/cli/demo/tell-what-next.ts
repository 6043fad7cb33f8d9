import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { followDeployment } from '#cli/follow-deployment.ts'
import { inertLine } from '#cli/inert.ts'
import type { Session } from '#cli/session.ts'
import { background } from '#lib/background.ts'
import { PACKAGE_ROOT } from '#lib/package-root.ts'
import { sendWebhook } from './send-webhook.ts'
import type { DemoResult } from './show-examples.ts'
import type { World } from './world.ts'

const PROGRAM = join(PACKAGE_ROOT, 'bin/fairlead')

/** Says where everything is and what to try, then shows each further deployment until Ctrl-C. */
export async function tellWhatNext(session: Session, world: World, result: DemoResult): Promise<void> {
  for (const line of whatNext(session, world, result)) {
    session.printer.line(line)
  }
  const pushes = world.gitServer.onPush((_name, ref, before, after) => {
    if (world.hook && ref === 'refs/heads/main') {
      background(sendWebhook(world.hook, { ref, before, after }), session.printer.error)
    }
  })
  try {
    await showDeployments(session)
  } catch (error) {
    if (!session.signal.aborted) {
      throw error
    }
  } finally {
    pushes.close()
  }
}

function whatNext({ printer, config }: Session, world: World, result: DemoResult): string[] {
  const { url, tokenFile } = world.together
  const work = join(world.folder, 'work')
  return [
    '',
    printer.colour.bold('It stays up until you press Ctrl-C, and leaves nothing behind then.'),
    '',
    `  App        ${result.url ?? '(no app has a domain)'}`,
    `  API        ${url}/api/v1/docs`,
    `  Token      ${readFileSync(tokenFile, 'utf8').trim()}`,
    '',
    'Try next, in another terminal:',
    '',
    `  export FAIRLEAD_MANAGER=${url} FAIRLEAD_TOKEN_FILE=${tokenFile}`,
    `  ${PROGRAM} status`,
    ...(existsSync(work) ? pushLines(work, config.environment) : []),
  ]
}

function pushLines(work: string, environment: Session['config']['environment']): string[] {
  // The variable would win over the setting of the working copy.
  const push = environment.GIT_SSL_CAINFO === undefined ? 'git push' : 'env -u GIT_SSL_CAINFO git push'
  if (!existsSync(join(work, 'hello'))) {
    return [`  cd ${work}   and change, commit and ${push} something`]
  }
  return [
    `  ${PROGRAM} logs --deployment hello`,
    `  ${PROGRAM} rollback hello --wait`,
    `  cd ${work}`,
    `  sed -i 's/second/third/' hello/site/index.html && git commit -qam 'Third version' && ${push}`,
  ]
}

/** One after the other; one that ran meanwhile is shown with its end. */
async function showDeployments(session: Session): Promise<void> {
  const { client, printer, signal } = session
  for await (const { event, data } of client.events('/events', signal)) {
    const { fields } = data as { fields: Record<string, unknown> }
    if (event === 'deployment' && fields.state === 'running') {
      printer.line(`\n  app ${inertLine(String(fields.app))}`)
      const ended = await followDeployment(session, String(fields.id), { say: printer.line })
      printer.line(`  ${ended.outcome ?? ended.state}`)
    }
  }
  signal.throwIfAborted()
}
