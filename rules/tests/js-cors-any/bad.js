app.use(cors());
