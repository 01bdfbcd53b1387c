wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"maxCaloriesPerSlice":500,"excludedIngredients":["pepperoni"],"minNumberOfToppings":2}'
