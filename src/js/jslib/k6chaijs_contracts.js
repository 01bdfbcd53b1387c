// What https://jslib.k6.io/k6chaijs-contracts/ gives: expect(…).to.matchSchema(JSON schema) for k6chaijs.
import Ajv from 'https://jslib.k6.io/ajv/6.12.5/index.js';
import { check } from 'k6';

export function initContractPlugin(chai) {
    const ajv = new Ajv();
    chai.util.addMethod(chai.Assertion.prototype, 'matchSchema', function matchSchema(schema) {
        const validate = ajv.compile(schema);
        const ok = validate(chai.util.flag(this, 'object'), schema); // the schema makes names begin with [object Object]
        if (!ok) {
            console.error(JSON.stringify(validate.errors));
            for (const error of validate.errors) check(null, { [`${error.dataPath} ${error.message}`]: false });
        }
        this.assert(ok, 'expected to match API schema', 'expected to not not match the API schema', null, null);
    });
}
