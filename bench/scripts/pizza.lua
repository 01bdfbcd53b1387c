-- what examples/test.js sends
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-User-ID"] = "23423"
wrk.body = '{"maxCaloriesPerSlice":500,"mustBeVegetarian":false,"excludedIngredients":["pepperoni"],"excludedTools":["knife"],' ..
    '"maxNumberOfToppings":6,"minNumberOfToppings":2}'

-- answers other than 200 make the measurement worthless
function done(summary, latency, requests)
    io.write(string.format("errors: %d\n", summary.errors.status + summary.errors.connect + summary.errors.read +
        summary.errors.write + summary.errors.timeout))
end
