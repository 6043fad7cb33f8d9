import { deepEqual, rejects } from 'node:assert/strict'
import { test } from 'node:test'
import { addApp, openTestStore } from '#manager/deployments/test-store.ts'
import { DOMAIN_TAKEN_BY_APP } from '#manager/pipeline/errors.ts'
import { claimDomains } from './domains.ts'

test('two apps share a host only with a part for each', async t => {
  const store = await openTestStore()
  t.after(() => store.close())
  const churn = await addApp(store, 'churn')
  const sales = await addApp(store, 'sales')
  const claim = (app: string, ...places: string[]) => claimDomains(store.db, app, places)
  await claim(churn, 'nb.example.org/nb/churn/')
  await claim(churn, 'nb.example.org/nb/churn/')
  await claim(sales, 'nb.example.org/nb/sales/')
  await claim(sales, 'nb.example.org.test', 'other.example.org')
  for (const taken of [
    'nb.example.org/nb/churn/',
    'nb.example.org/nb/churn/deeper/',
    'nb.example.org/nb/',
    'nb.example.org',
  ]) {
    await rejects(claim(sales, 'free.example.org', taken), DOMAIN_TAKEN_BY_APP.matches, taken)
  }
  await rejects(claim(churn, 'other.example.org/nb/churn/'), DOMAIN_TAKEN_BY_APP.matches)
  const rows = await store.db.selectFrom('domains').select('host').orderBy('host').execute()
  deepEqual(
    rows.map(({ host }) => host),
    ['nb.example.org.test', 'nb.example.org/nb/churn/', 'nb.example.org/nb/sales/', 'other.example.org'],
  )
})
