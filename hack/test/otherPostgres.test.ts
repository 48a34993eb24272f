import { expect, test } from 'vitest';
import { createLog } from '../lib/log.ts';
import { unpackPostgres } from './otherPostgres.ts';

test('a version that npm has not is refused with those that it has', async () => {
  await expect(unpackPostgres('13', '/nowhere', '/nowhere', createLog())).rejects.toThrow(
    'PGRST_TEST_PG_VERSION is 13: it may be 14, 16, 17, 18, or unset',
  );
});
