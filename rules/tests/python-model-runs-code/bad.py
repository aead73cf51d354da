agent = create_pandas_dataframe_agent(llm, df, allow_dangerous_code=True)
