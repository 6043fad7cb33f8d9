import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { type CommandResult, command } from './command.ts'

/** What clients of the deployer before Fairlead have in their scripts and repositories, letter by letter. */
export const DOCUMENT = {
  signName: `printf 'media' | openssl dgst -sha256 -hmac "$DEPLOY_SECRET" -binary | xxd -p -c256`,
  callWithBody: `payload='{"stack":"media"}'
sig=$(printf '%s' "$payload" | openssl dgst -sha256 -hmac "$DEPLOY_SECRET" -binary | xxd -p -c256)
curl -X POST http://host:8080/deploy \\
  -H "Content-Type: application/json" \\
  -H "X-Signature: $sig" \\
  -d "$payload"`,
  job: `name: Deploy Stack
on:
  workflow_dispatch:
    inputs:
      stack:
        description: "Nome do stack"
        required: true
        default: "media"

jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - name: Preparar payload e assinatura
        id: sign
        run: |
          payload=$(jq -nc --arg stack "\${{ github.event.inputs.stack }}" '{stack:$stack}')
          sig=$(printf '%s' "$payload" | openssl dgst -sha256 -hmac "$DEPLOY_SECRET" -binary | xxd -p -c256)
          echo "payload=$payload" >> "$GITHUB_OUTPUT"
          echo "sig=$sig" >> "$GITHUB_OUTPUT"
        env:
          DEPLOY_SECRET: \${{ secrets.DEPLOY_SECRET }}

      - name: Chamar deployer
        id: call
        run: |
          response=$(curl -sS -w '\\n%{http_code}' -X POST "\${{ secrets.DEPLOYER_URL }}/deploy" \\
            -H "Content-Type: application/json" \\
            -H "X-Signature: \${{ steps.sign.outputs.sig }}" \\
            -d "\${{ steps.sign.outputs.payload }}")

          body=$(echo "$response" | head -n1)
          status=$(echo "$response" | tail -n1)
          echo "Response: $body"
          echo "HTTP: $status"

          ok=$(echo "$body" | jq -r '.ok')
          if [ "$ok" != "true" ]; then
            echo "Deploy falhou" >&2
            exit 1
          fi
        shell: bash
`,
} as const

interface JobStep {
  readonly id?: string
  readonly run: string
  readonly env?: Readonly<Record<string, string>>
}

interface Circumstances {
  readonly folder: string
  readonly inputs: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
}

/** Runs the shell steps of a workflow's only job as GitHub's runner does: expressions filled in, outputs by file, bash -e. */
export async function runJob(workflow: string, circumstances: Circumstances): Promise<CommandResult> {
  const { jobs } = parse(workflow) as { jobs: Record<string, { steps: JobStep[] }> }
  const steps = Object.values(jobs)[0]?.steps ?? []
  const outputs = new Map<string, string>()
  let last: CommandResult = { code: 0, stdout: '', stderr: '' }
  for (const { id = '', run, env = {} } of steps) {
    const fill = (text: string) => filled(text, circumstances, outputs)
    const outputFile = join(circumstances.folder, `output-${id}`)
    await writeFile(outputFile, '')
    last = await command('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', fill(run)], {
      folder: circumstances.folder,
      env: {
        GITHUB_OUTPUT: outputFile,
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)])),
      },
    })
    if (last.code !== 0) {
      break
    }
    for (const line of (await readFile(outputFile, 'utf8')).split('\n').filter(Boolean)) {
      const [name = '', value = ''] = line.split(/=(.*)/s)
      outputs.set(`steps.${id}.outputs.${name}`, value)
    }
  }
  return last
}

function filled(
  text: string,
  { inputs, secrets }: Circumstances,
  outputs: ReadonlyMap<string, string>,
): string {
  return text.replaceAll(/\$\{\{\s*([\w.]+)\s*\}\}/g, (_, expression: string) => {
    const [group, ...rest] = expression.split('.')
    const name = rest.at(-1) ?? ''
    const value =
      group === 'secrets' ? secrets[name] : group === 'github' ? inputs[name] : outputs.get(expression)
    if (value === undefined) {
      throw new Error(`the workflow names ${expression}, which the test does not have`)
    }
    return value
  })
}
